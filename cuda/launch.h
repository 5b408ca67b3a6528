// The only way to start a kernel: <<<>>> is not C++, hides errors, and the tests that run without a GPU could not read it.
//
// The rules for device code stand in tests/cuda_emulation/README.md.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <source_location>
#include <type_traits>

#include "cuda/check.h"
#include "cuda/launch_log.h"
#include "cuda/stream.h"

namespace bouquet::cuda {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;  // dynamic shared memory
  std::source_location at = std::source_location::current();
};

// How many blocks of `per_block` elements hold `count`: a grid's x, at least 1. Throws CudaError past 2^31 - 1 blocks.
inline unsigned block_count(int64_t count, int64_t per_block, std::source_location at = std::source_location::current()) {
  const int64_t blocks = count <= 0 ? 1 : (count - 1) / per_block + 1;
  check(blocks <= std::numeric_limits<int32_t>::max() ? cudaSuccess : cudaErrorInvalidConfiguration, at);
  return static_cast<unsigned>(blocks);
}

// Starts kernel(arguments...) on the stream, without waiting. Throws CudaError.
template <typename... P>
void launch(const Stream& stream, const LaunchShape& shape, void (*kernel)(P...), std::type_identity_t<P>... arguments) {
  constexpr std::size_t kGrantedToAll = 48 * 1024;
  if (shape.shared_bytes > kGrantedToAll)
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)));
  cudaLaunchConfig_t config = {};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream.get();
  LoggedLaunch logged(stream);
  check(cudaLaunchKernelEx(&config, kernel, arguments...));
  logged.started(reinterpret_cast<const void*>(kernel), shape.at);
}

}  // namespace bouquet::cuda
