// cuBLAS and cuSOLVER: owners of their handles, each bound to one stream, and their errors.
#pragma once

#include <cublas_v2.h>
#include <cusolverDn.h>

#include <source_location>
#include <utility>

#include "cuda/check.h"
#include "cuda/device_array.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// Throw CudaError unless the call went well.
void check(cublasStatus_t code, std::source_location at = std::source_location::current());
void check(cusolverStatus_t code, std::source_location at = std::source_location::current());

// Owns a cuBLAS handle whose calls run on `stream`, which must outlive it, and the workspace of its kernels, so that it is counted and that
// no call allocates. Scalars are read from the host. Move-only, not thread-safe.
class BlasHandle {
 public:
  explicit BlasHandle(const Stream& stream);
  ~BlasHandle();
  static void count_memory(int capability, MemoryTable& table);
  BlasHandle(BlasHandle&& other) noexcept
      : device_(other.device_), workspace_(std::move(other.workspace_)), handle_(std::exchange(other.handle_, nullptr)) {}
  BlasHandle& operator=(BlasHandle&&) = delete;
  cublasHandle_t get() const { return handle_; }

 private:
  const Device* device_;
  DeviceArray<char> workspace_;
  cublasHandle_t handle_ = nullptr;
};

// The same for cuSOLVER's dense functions.
class SolverHandle {
 public:
  explicit SolverHandle(const Stream& stream);
  ~SolverHandle();
  SolverHandle(SolverHandle&& other) noexcept : device_(other.device_), handle_(std::exchange(other.handle_, nullptr)) {}
  SolverHandle& operator=(SolverHandle&&) = delete;
  cusolverDnHandle_t get() const { return handle_; }

 private:
  const Device* device_;
  cusolverDnHandle_t handle_ = nullptr;
};

}  // namespace bouquet::cuda
