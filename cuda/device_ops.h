// The device operations that C++ has no words for. Every line of PTX of the project is in this file; the tests that run without a GPU
// replace it by tests/cuda_emulation/replacements/cuda/device_ops.h.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace bouquet::cuda {

// The dynamic shared memory of the block, as launch() was given it. Aligned to 1024 bytes.
template <typename T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(1024) unsigned char memory[];
  return reinterpret_cast<T*>(memory);
}

// Starts to copy 16 bytes to shared memory, the first `bytes` of them from `from`, the rest 0. Both addresses are multiples of 16.
// Before compute capability 8.0, which has no such instruction, it is a plain copy and the waits have nothing to wait for.
__device__ __forceinline__ void copy_async(void* to, const void* from, int bytes = 16) {
#if __CUDA_ARCH__ >= 800
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes) : "memory");
#else
  for (int i = 0; i < 16; ++i) static_cast<char*>(to)[i] = i < bytes ? static_cast<const char*>(from)[i] : char{0};
#endif
}

// Closes a group of copies.
__device__ __forceinline__ void copy_async_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most the last `Pending` groups of this thread are unfinished.
template <int Pending>
__device__ __forceinline__ void copy_async_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

}  // namespace bouquet::cuda
