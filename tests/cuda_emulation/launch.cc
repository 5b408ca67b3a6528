// Starting kernels: what the driver would check of a launch.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/cuda_emulation/block.h"
#include "tests/cuda_emulation/handles.h"
#include "tests/cuda_emulation/prelude.h"
#include "tests/cuda_emulation/runtime.h"
#include "tests/cuda_emulation/sanitizers.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace emulation {
namespace {

constexpr std::size_t kKernelBytes = 1 << 10;  // of device memory, in which a kernel's code stands: less than it really takes

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
    host_misuse(("a kernel argument points to the host's " + std::string(kind)).c_str());
  }
#endif
}

bool can_be_launched(const dim3& grid, const dim3& block) {
  const unsigned long long threads = 1ull * block.x * block.y * block.z;
  return threads >= 1 && threads <= 1024 && block.z <= 64 && grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= 0x7FFFFFFF &&
         grid.y <= 65535 && grid.z <= 65535;
}

}  // namespace

cudaError_t load_kernel(const void* kernel) {
  const Lock lock(runtime().mutex);
  if (runtime().loaded.contains({current_device(), kernel})) return cudaSuccess;
  if (capability() < environment_number("EMULATION_CODE", 0)) return noted(cudaErrorNoKernelImageForDevice);
  if (runtime().used + kKernelBytes > memory_capacity()) return noted(cudaErrorMemoryAllocation);
  runtime().loaded.insert({current_device(), kernel});
  return cudaSuccess;
}

void unload_kernels() {
  const Lock lock(runtime().mutex);
  runtime().loaded.clear();
}

cudaError_t enqueue_launch(const cudaLaunchConfig_t& config, const void* kernel, void (*call)(const void*),
                           std::shared_ptr<const void> arguments, std::size_t argument_bytes) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  check_pointers(arguments.get(), argument_bytes);
  if (!can_be_launched(config.gridDim, config.blockDim)) return noted(cudaErrorInvalidConfiguration);
  if (resolve(config.stream)->device != current_device()) return noted(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = load_kernel(kernel); error != cudaSuccess) return error;
  if (config.dynamicSmemBytes > kMostShared) return noted(cudaErrorInvalidValue);
  enqueue(config.stream, [=, grid = config.gridDim, block = config.blockDim, bytes = config.dynamicSmemBytes] {
    const DeviceAccess access;
    run({grid, block, bytes, call, arguments.get()});
  });
  return cudaSuccess;
}

}  // namespace emulation

extern "C" cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void* kernel) {
  if (const cudaError_t error = emulation::counted_call(); error != cudaSuccess) return error;
  *out = {};
  return emulation::load_kernel(kernel);
}
