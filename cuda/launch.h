// The only way to start a kernel: <<<>>> is not C++, hides errors, and the tests that run without a GPU could not read it.
//
// The rules for device code stand in tests/cuda_emulation/README.md.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <source_location>

#include "cuda/check.h"
#include "cuda/kernels.h"
#include "cuda/launch_log.h"
#include "cuda/stream.h"

namespace bouquet::cuda {

// What every device gives every kernel. More would take an attribute of the kernel, which all threads that launch it share, and there is
// more on newer devices alone.
inline constexpr std::size_t kMostSharedBytes = 48 * 1024;

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;  // dynamic shared memory, at most kMostSharedBytes
  std::source_location at = std::source_location::current();
};

// How many blocks of `per_block` elements hold `count`: a grid's x, at least 1. Throws CudaError past 2^31 - 1 blocks.
inline unsigned block_count(int64_t count, int64_t per_block, std::source_location at = std::source_location::current()) {
  const int64_t blocks = count <= 0 ? 1 : (count - 1) / per_block + 1;
  check(blocks <= std::numeric_limits<int32_t>::max() ? cudaSuccess : cudaErrorInvalidConfiguration, at);
  return static_cast<unsigned>(blocks);
}

// What launch<kernel> is: it starts kernel(arguments...) on the stream, without waiting. Throws CudaError.
template <auto kKernel>
class Launcher;

template <typename... P, void (*kKernel)(P...)>
class Launcher<kKernel> {
 public:
  void operator()(const Stream& stream, const LaunchShape& shape, P... arguments) const {
    static_cast<void>(&kListed);  // or it would not be
    cudaLaunchConfig_t config = {};
    config.gridDim = shape.grid;
    config.blockDim = shape.block;
    config.dynamicSmemBytes = shape.shared_bytes;
    config.stream = stream.get();
    LoggedLaunch logged(stream);
    check(cudaLaunchKernelEx(&config, kKernel, arguments...));
    logged.started(reinterpret_cast<const void*>(kKernel), shape.at);
  }

 private:
  static inline const ListedKernel kListed{reinterpret_cast<const void*>(kKernel)};
};

// launch<kernel>(stream, shape, arguments...). The kernel is known when this is compiled, so that it is listed (kernels.h).
template <auto kKernel>
inline constexpr Launcher<kKernel> launch = {};

}  // namespace bouquet::cuda
