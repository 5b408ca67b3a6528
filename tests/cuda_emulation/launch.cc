// Starting kernels: what the driver would check of a launch.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/cuda_emulation/block.h"
#include "tests/cuda_emulation/prelude.h"
#include "tests/cuda_emulation/runtime.h"
#include "tests/cuda_emulation/sanitizers.h"

namespace emulation {
namespace {

constexpr int kDefaultShared = 48 << 10, kMaxShared = 227 << 10;  // as compute capability 9.0

// A kernel argument, or a member of one, that points to the host's stack or heap: no GPU could follow it.
void check_pointers([[maybe_unused]] const void* arguments, [[maybe_unused]] std::size_t bytes) {
#if defined(EMULATION_ASAN)
  const auto* words = static_cast<void* const*>(arguments);
  for (std::size_t i = 0; i < bytes / sizeof(void*); ++i) {
    char name[1];
    void* begin;
    std::size_t size;
    const std::string_view kind = __asan_locate_address(words[i], name, sizeof name, &begin, &size);
    if ((kind != "heap" && kind != "stack") || is_device(words[i], 0) || runtime().pinned.contains(begin)) continue;
    std::fprintf(stderr, "CUDA misuse: a kernel argument points to the host's %s\n", kind.data());
    std::abort();
  }
#endif
}

bool can_be_launched(const dim3& grid, const dim3& block) {
  const unsigned long long threads = 1ull * block.x * block.y * block.z;
  return threads >= 1 && threads <= 1024 && block.z <= 64 && grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= 0x7FFFFFFF &&
         grid.y <= 65535 && grid.z <= 65535;
}

}  // namespace

cudaError_t enqueue_launch(const cudaLaunchConfig_t& config, const void* kernel, void (*call)(const void*),
                           std::shared_ptr<const void> arguments, std::size_t argument_bytes) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  check_pointers(arguments.get(), argument_bytes);
  if (!can_be_launched(config.gridDim, config.blockDim)) return noted(cudaErrorInvalidConfiguration);
  const auto limit = runtime().shared_limits.find(kernel);
  const int shared = limit != runtime().shared_limits.end() ? limit->second : kDefaultShared;
  if (config.dynamicSmemBytes > static_cast<std::size_t>(shared)) return noted(cudaErrorInvalidValue);
  enqueue(config.stream, [=, grid = config.gridDim, block = config.blockDim, bytes = config.dynamicSmemBytes] {
    const DeviceAccess access;
    run({grid, block, bytes, call, arguments.get()});
  });
  return cudaSuccess;
}

}  // namespace emulation

extern "C" cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (const cudaError_t error = emulation::counted_call(); error != cudaSuccess) return error;
  const emulation::Lock lock(emulation::runtime().mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value > emulation::kMaxShared)
    return emulation::noted(cudaErrorInvalidValue);
  emulation::runtime().shared_limits[kernel] = value;
  return cudaSuccess;
}
