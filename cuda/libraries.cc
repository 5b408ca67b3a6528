#include "cuda/libraries.h"

#include <string>

namespace bouquet::cuda {
namespace {

// These libraries say little of what went wrong beneath them: a device without room, or one that is lost, is to them what they could not
// make, a library that does not start or a kernel that does not run. Any call of the runtime tells a lost device; what is left is want of
// memory.
Fault full_or_lost() {
  size_t free = 0, total = 0;
  const cudaError_t error = cudaMemGetInfo(&free, &total);
  return error == cudaSuccess ? Fault::kFull : fault_of(error);
}

[[noreturn]] void throw_library_error(const char* library, int code, Fault fault, std::source_location at) {
  std::string what = std::string(library) + " error " + std::to_string(code) + " in " + at.function_name();
  if (fault == Fault::kUnusable) what += "; this version of the library has no code for the device: install one that has";
  throw CudaError(fault, what);
}

// What the manual recommends for cublasSetWorkspace(): 32 MiB from Hopper (9.0) on, 4 MiB before.
int64_t workspace_bytes(int capability) { return (capability >= 90 ? int64_t{32} : int64_t{4}) << 20; }

}  // namespace

void check(cublasStatus_t code, std::source_location at) {
  if (code == CUBLAS_STATUS_SUCCESS) return;
  const bool misused = code == CUBLAS_STATUS_INVALID_VALUE || code == CUBLAS_STATUS_NOT_SUPPORTED;
  throw_library_error("cuBLAS", code, misused ? Fault::kBug : code == CUBLAS_STATUS_ARCH_MISMATCH ? Fault::kUnusable : full_or_lost(), at);
}

void check(cusolverStatus_t code, std::source_location at) {
  if (code == CUSOLVER_STATUS_SUCCESS) return;
  const Fault fault = code == CUSOLVER_STATUS_INVALID_VALUE   ? Fault::kBug
                      : code == CUSOLVER_STATUS_ARCH_MISMATCH ? Fault::kUnusable
                                                              : full_or_lost();
  throw_library_error("cuSOLVER", code, fault, at);
}

BlasHandle::BlasHandle(const Stream& stream)
    : device_(&stream.device()), workspace_(workspace_bytes(stream.device().properties().capability), stream) {
  stream.device().use();
  stream.device().give_back();
  check(cublasCreate(&handle_));
  cublasStatus_t status = cublasSetStream(handle_, stream.get());
  // After the stream: setting that takes the workspace away.
  if (status == CUBLAS_STATUS_SUCCESS) status = cublasSetWorkspace(handle_, workspace_.data(), static_cast<size_t>(workspace_.bytes()));
  if (status != CUBLAS_STATUS_SUCCESS) {
    cublasDestroy(handle_);
    check(status);
  }
}

void BlasHandle::count_memory(int capability, MemoryTable& table) { table.add("cuBLAS workspace", workspace_bytes(capability)); }

BlasHandle::~BlasHandle() {
  if (handle_ == nullptr) return;
  device_->use_to_release();
  cublasDestroy(handle_);
}

SolverHandle::SolverHandle(const Stream& stream) : device_(&stream.device()) {
  stream.device().use();
  stream.device().give_back();
  check(cusolverDnCreate(&handle_));
  if (const cusolverStatus_t status = cusolverDnSetStream(handle_, stream.get()); status != CUSOLVER_STATUS_SUCCESS) {
    cusolverDnDestroy(handle_);
    check(status);
  }
}

SolverHandle::~SolverHandle() {
  if (handle_ == nullptr) return;
  device_->use_to_release();
  cusolverDnDestroy(handle_);
}

}  // namespace bouquet::cuda
