// What a device can do at most: a copy and a chain of multiply-adds, timed by its own clock.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/device.h"
#include "cuda/stream.h"
#include "engine/roofline.h"

namespace bouquet::cuda {

// Takes up to a quarter of the free memory, 2 GiB at most, for the copy, and gives it back. Throws CudaError.
Roofline measure_roofline(const Device& device);

// What is timed, so that tests can hold it against loops. Both run in blocks of kRooflineThreads threads, and are asynchronous.
inline constexpr int kRooflineThreads = 256;
inline constexpr int kRooflineChains = 8;  // of multiply-adds that do not wait for each other

// to[i] := from[i] for i < count.
void copy_vectors(const Stream& stream, unsigned blocks, const float4* from, float4* to, int64_t count);

// sums[t], for each thread t: the sum of chains c that start at c + addend, after `rounds` times x := x factor + addend, fused. `rounds` is
// a multiple of 16.
void multiply_add(const Stream& stream, unsigned blocks, float factor, float addend, int64_t rounds, float* sums);

}  // namespace bouquet::cuda
