// How Thrust runs: on our stream, without waiting for it. The tests that run without a
// GPU replace this file by tests/cuda_emulation/replacements/cuda/thrust_policy.h.
#pragma once

#include <thrust/execution_policy.h>
#include <thrust/system/cuda/execution_policy.h>

#include "cuda/stream.h"

namespace bouquet::cuda {

inline auto thrust_on(const Stream& stream) { return thrust::cuda::par_nosync.on(stream.get()); }

}  // namespace bouquet::cuda
