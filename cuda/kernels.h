// The kernels of this build: launch.h lists each one that it can start, so that a device is made ready for all of them before the first.
#pragma once

#include <utility>

namespace bouquet::cuda {

// A kernel's place in the list; of static storage, made while the program or the module is loaded.
class ListedKernel {
 public:
  explicit ListedKernel(const void* kernel) : kernel_(kernel), next_(std::exchange(first_, this)) {}
  ListedKernel(const ListedKernel&) = delete;
  ListedKernel& operator=(const ListedKernel&) = delete;

  static const ListedKernel* first() { return first_; }
  const void* kernel() const { return kernel_; }
  const ListedKernel* next() const { return next_; }

 private:
  static inline const ListedKernel* first_ = nullptr;

  const void* const kernel_;
  const ListedKernel* const next_;
};

// Loads every kernel onto the calling thread's device. Throws CudaError: kUnusable where this build has no code for the device, kFull where
// the code does not fit.
//
// Not left to the first launch, as CUDA has it by default since 12.2: that takes device memory, which rank() and solve()
// must not. cudaFuncGetAttributes() is what the programming guide names for it ("lazy loading"); CUDA_MODULE_LOADING=EAGER would load all
// of cuBLAS and cuSOLVER too, hundreds of MB, for every process that uses a device.
void load_kernels();

}  // namespace bouquet::cuda
