#include "cuda/roofline.h"

#include <algorithm>

#include "cuda/device_array.h"
#include "cuda/launch.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = kRooflineThreads;
constexpr int kChains = kRooflineChains;
constexpr int kBlocksPerMultiprocessor = 8;         // 2048 threads: full on every capability but 7.5 and 8.6, which take turns
constexpr double kLongEnough = 0.01;                // seconds: what starting a kernel costs is then below a thousandth
constexpr int64_t kMostVectors = int64_t{1} << 26;  // 1 GiB, many times every second-level cache
constexpr int64_t kMostRounds = int64_t{1} << 20;

// All blocks: copies `count` vectors. Floor: 32 count bytes.
__global__ void __launch_bounds__(kThreads) copy_kernel(const float4* from, float4* to, int64_t count) {
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += step) to[i] = from[i];
}

// Each thread: kChains chains of `rounds` multiply-adds. Floor: 2 kChains rounds flops per thread.
__global__ void __launch_bounds__(kThreads) multiply_add_kernel(float factor, float addend, int64_t rounds, float* sums) {
  float x[kChains];
#pragma unroll
  for (int c = 0; c < kChains; ++c) x[c] = static_cast<float>(c) + addend;
  for (int64_t r = 0; r < rounds; r += 16) {
#pragma unroll
    for (int repeat = 0; repeat < 16; ++repeat)
#pragma unroll
      for (int c = 0; c < kChains; ++c) x[c] = fmaf(x[c], factor, addend);
  }
  float sum = 0;
#pragma unroll
  for (int c = 0; c < kChains; ++c) sum += x[c];
  sums[int64_t{blockIdx.x} * kThreads + threadIdx.x] = sum;
}

// Seconds of the fastest of a few runs, after one that is not timed.
template <typename Work>
double fastest(const Stream& stream, const Work& work) {
  Event begin(Timing::kOn), end(Timing::kOn);
  double seconds = 0;
  for (int run = 0; run < 6; ++run) {
    begin.record(stream);
    work();
    end.record(stream);
    end.synchronize();
    const double elapsed = end.seconds_since(begin);
    if (run > 0) seconds = run == 1 ? elapsed : std::min(seconds, elapsed);
  }
  return seconds;
}

// Size per second of the work of the smallest size that takes long enough, or of the largest.
template <typename SecondsOf>
double rate_of(int64_t size, int64_t largest, const SecondsOf& seconds_of) {
  for (size = std::min(size, largest);; size = std::min(4 * size, largest)) {
    const double seconds = seconds_of(size);
    if (seconds >= kLongEnough || size == largest) return seconds > 0 ? static_cast<double>(size) / seconds : 0;
  }
}

double vectors_per_second(const Stream& stream, unsigned blocks) {
  constexpr int64_t kFirst = int64_t{1} << 14;
  const int64_t fitting = stream.device().free_bytes() / 4 / 2 / int64_t{sizeof(float4)};
  return rate_of(kFirst, std::clamp<int64_t>(fitting, 1, kMostVectors), [&](int64_t count) {
    DeviceArray<float4> from(count, stream), to(count, stream);
    from.fill_bytes(0x3F);  // zeros are cheaper to move
    return fastest(stream, [&] { copy_vectors(stream, blocks, from.data(), to.data(), count); });
  });
}

double rounds_per_second(const Stream& stream, unsigned blocks) {
  DeviceArray<float> sums(int64_t{blocks} * kThreads, stream);
  return rate_of(16, kMostRounds, [&](int64_t rounds) {
    return fastest(stream, [&] { multiply_add(stream, blocks, 0.999f, 0.001f, rounds, sums.data()); });
  });
}

}  // namespace

void copy_vectors(const Stream& stream, unsigned blocks, const float4* from, float4* to, int64_t count) {
  launch<copy_kernel>(stream, {dim3(blocks), dim3(kThreads)}, from, to, count);
}

void multiply_add(const Stream& stream, unsigned blocks, float factor, float addend, int64_t rounds, float* sums) {
  launch<multiply_add_kernel>(stream, {dim3(blocks), dim3(kThreads)}, factor, addend, rounds, sums);
}

Roofline measure_roofline(const Device& device) {
  const Stream stream(device);
  const auto blocks = static_cast<unsigned>(device.properties().multiprocessors * kBlocksPerMultiprocessor);
  return {.bytes_per_second = 2 * double{sizeof(float4)} * vectors_per_second(stream, blocks),
          .flops_per_second = 2.0 * kChains * kThreads * blocks * rounds_per_second(stream, blocks)};
}

}  // namespace bouquet::cuda
