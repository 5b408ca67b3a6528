#include "cpu_fallback/roofline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "cpu_fallback/aligned.h"
#include "engine/seconds_since.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu_fallback/roofline.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bouquet::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
constexpr Tag kTag;
// Sums that do not wait for each other: what the latency of a multiply-add (4 cycles) and two a cycle ask for, and AVX2 has registers for.
constexpr int kChains = 12;

// The sum of `numbers`, whose count is a multiple of 1024.
float SumOf(std::span<const float> numbers) {
  constexpr int kSums = 8;
  const size_t lanes = hn::Lanes(kTag);
  hn::Vec<Tag> sums[kSums];
#pragma GCC unroll 8
  for (auto& sum : sums) sum = hn::Zero(kTag);
  for (size_t i = 0; i < numbers.size(); i += kSums * lanes)
#pragma GCC unroll 8
    for (size_t s = 0; s < kSums; ++s) sums[s] = hn::Add(sums[s], hn::LoadU(kTag, numbers.data() + i + s * lanes));
  for (int s = 1; s < kSums; ++s) sums[0] = hn::Add(sums[0], sums[s]);
  return hn::GetLane(hn::SumOfLanes(kTag, sums[0]));
}

// Multiply-adds of `rounds` rounds: 2 flops each; `sum` makes them needed.
double MultiplyAdds(int64_t rounds, float factor, float addend, float& sum) {
  const auto times = hn::Set(kTag, factor), plus = hn::Set(kTag, addend);
  hn::Vec<Tag> chains[kChains];
#pragma GCC unroll 12
  for (int c = 0; c < kChains; ++c) chains[c] = hn::Set(kTag, static_cast<float>(c));
  for (int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (auto& chain : chains) chain = hn::MulAdd(chain, times, plus);
  for (int c = 1; c < kChains; ++c) chains[0] = hn::Add(chains[0], chains[c]);
  sum = hn::GetLane(hn::SumOfLanes(kTag, chains[0]));
  return static_cast<double>(rounds) * kChains * static_cast<double>(hn::Lanes(kTag));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bouquet::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bouquet::cpu {
namespace {

HWY_EXPORT(SumOf);
HWY_EXPORT(MultiplyAdds);

constexpr int64_t kChunk = int64_t{1} << 18;  // floats that one task reads
constexpr int64_t kChunks = 256;              // 256 MiB in all: more than the caches that a few cores share
constexpr int kTasksPerThread = 8;

// Seconds of the fastest run of about a quarter of a second's.
double fastest(absl::FunctionRef<void()> work) {
  using Clock = std::chrono::steady_clock;
  double seconds = 0;
  const auto start = Clock::now();
  for (int run = 0; run < 3 || Clock::now() - start < std::chrono::milliseconds(250); ++run) {
    const auto begin = Clock::now();
    work();
    const double elapsed = seconds_since(begin);
    seconds = run == 0 ? elapsed : std::min(seconds, elapsed);
  }
  return seconds;
}

// Keeps what the loops compute.
void need(float value) {
  static std::atomic<float> kept;
  kept.store(value, std::memory_order_relaxed);
}

double bytes_per_second(ThreadPool& pool) {
  AlignedVector<float> numbers(static_cast<size_t>(kChunks * kChunk));
  const auto chunk = [&](int64_t c) { return std::span(numbers).subspan(static_cast<size_t>(c * kChunk), static_cast<size_t>(kChunk)); };
  pool.run(kChunks, [&](int, int64_t c) { std::ranges::fill(chunk(c), 1.0f); });
  const double seconds = fastest([&] { pool.run(kChunks, [&](int, int64_t c) { need(HWY_DYNAMIC_DISPATCH(SumOf)(chunk(c))); }); });
  return static_cast<double>(numbers.size() * sizeof(float)) / seconds;
}

double flops_per_second(ThreadPool& pool) {
  constexpr int64_t kRounds = 100000;  // a tenth of a millisecond and more
  const int64_t tasks = int64_t{pool.size()} * kTasksPerThread;
  std::atomic<double> multiply_adds = 0;  // of one task: all do the same
  const double seconds = fastest([&] {
    pool.run(tasks, [&](int, int64_t) {
      float sum = 0;
      multiply_adds = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(kRounds, 0.999f, 0.001f, sum);
      need(sum);
    });
  });
  return 2 * multiply_adds * static_cast<double>(tasks) / seconds;
}

}  // namespace

Roofline measure_roofline(ThreadPool& pool) {
  return {.bytes_per_second = bytes_per_second(pool), .flops_per_second = flops_per_second(pool)};
}

}  // namespace bouquet::cpu
#endif  // HWY_ONCE
