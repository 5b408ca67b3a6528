#include "bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bouquet::bench {
namespace {

constexpr int64_t kHalf = int64_t{1} << LatencyHistogram::kExactBits;  // buckets of one width, but twice as many of width 1
constexpr int64_t kMost = (int64_t{1} << LatencyHistogram::kMostBits) - 1;

// Bits that a bucket of `value` does not tell apart.
int shift_of(int64_t value) {
  return std::max(0, static_cast<int>(std::bit_width(static_cast<uint64_t>(value))) - LatencyHistogram::kExactBits - 1);
}

size_t bucket_of(int64_t value) {
  const int shift = shift_of(value);
  return static_cast<size_t>(shift * kHalf + (value >> shift));
}

int64_t last_in(size_t bucket) {
  const auto at = static_cast<int64_t>(bucket);
  const int64_t shift = std::max<int64_t>(0, at / kHalf - 1);
  return ((at - shift * kHalf + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(bucket_of(kMost) + 1) {}

void LatencyHistogram::record(int64_t nanoseconds) {
  const int64_t value = std::clamp<int64_t>(nanoseconds, 0, kMost);
  ++counts_[bucket_of(value)];
  ++count_;
  longest_ = std::max(longest_, value);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  longest_ = std::max(longest_, other.longest_);
}

double LatencyHistogram::quantile_ms(double share) const {
  if (count_ == 0) return 0;
  const auto rank = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  int64_t passed = 0;
  size_t bucket = 0;
  while (passed + counts_[bucket] < rank) passed += counts_[bucket++];
  return 1e-6 * static_cast<double>(std::min(last_in(bucket), longest_));
}

nlohmann::ordered_json LatencyHistogram::as_json() const {
  return {{"count", count_},
          {"p50_ms", quantile_ms(.5)},
          {"p99_ms", quantile_ms(.99)},
          {"p999_ms", quantile_ms(.999)},
          {"max_ms", quantile_ms(1)}};
}

}  // namespace bouquet::bench
