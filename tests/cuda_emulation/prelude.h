// Included before the first line of every emulated .cu file, as nvcc includes <cuda_runtime.h>.
#pragma once

#include <cuda_runtime.h>
#include <device_launch_parameters.h>

#include <memory>
#include <tuple>
#include <type_traits>

#include "tests/cuda_emulation/device_functions.h"
#include "tests/cuda_emulation/own_work.h"

// One copy per process (blocks run one by one) and one section, so that each block starts with garbage.
#undef __shared__
#define __shared__ static __attribute__((section("emulated_shared")))
#define __launch_bounds__(...)

namespace emulation {

// Checks the launch as the driver would, then queues call(arguments) for every thread of it on the stream.
cudaError_t enqueue_launch(const cudaLaunchConfig_t& config, const void* kernel, void (*call)(const void* arguments),
                           std::shared_ptr<const void> arguments, std::size_t argument_bytes);

template <typename... P>
cudaError_t launch_kernel(const cudaLaunchConfig_t* config, void (*kernel)(P...), std::type_identity_t<P>... arguments) {
  struct Call {
    void (*kernel)(P...);
    std::tuple<P...> arguments;
  };
  static_assert((std::is_trivially_copyable_v<P> && ...));
  const OwnWork own;
  const auto as_one_thread = [](const void* data) {
    const auto& call = *static_cast<const Call*>(data);
    std::apply(call.kernel, call.arguments);
  };
  return enqueue_launch(*config, reinterpret_cast<const void*>(kernel), as_one_thread,
                        std::make_shared<const Call>(Call{kernel, {arguments...}}), sizeof(Call));
}

}  // namespace emulation

#define cudaLaunchKernelEx ::emulation::launch_kernel
