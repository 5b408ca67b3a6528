// Eight rows that one thread sums at once: what they share is read once, and their own numbers come as two float4 from shared memory.
#pragma once

#include <cuda_runtime.h>

namespace bouquet::cuda {

// sums[i] += rows[i] * v for i < 8. `rows` is aligned to 16 bytes.
__device__ __forceinline__ void add_to_eight_rows(const float* rows, float v, float (&sums)[8]) {
  const float4 low = *reinterpret_cast<const float4*>(rows);
  const float4 high = *reinterpret_cast<const float4*>(rows + 4);
  sums[0] += low.x * v;
  sums[1] += low.y * v;
  sums[2] += low.z * v;
  sums[3] += low.w * v;
  sums[4] += high.x * v;
  sums[5] += high.y * v;
  sums[6] += high.z * v;
  sums[7] += high.w * v;
}

}  // namespace bouquet::cuda
