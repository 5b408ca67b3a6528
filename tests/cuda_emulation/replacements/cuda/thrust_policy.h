// Stands in for cuda/thrust_policy.h: Thrust's own sequential backend, after all that the stream holds.
#pragma once

#include <thrust/execution_policy.h>
#include <thrust/system/cpp/execution_policy.h>

#include "cuda/stream.h"
#include "tests/cuda_emulation/runtime.h"

namespace bouquet::cuda {

struct ThrustPolicy : thrust::cpp::execution_policy<ThrustPolicy> {
  explicit ThrustPolicy(cudaStream_t stream) { emulation::run_all(stream); }
  emulation::DeviceAccess access;
};

inline ThrustPolicy thrust_on(const Stream& stream) { return ThrustPolicy(stream.get()); }

}  // namespace bouquet::cuda
