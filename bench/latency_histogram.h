// Latencies of any number of calls in a memory of fixed size, after HdrHistogram (Tene): buckets as wide as a fixed share of what they
// hold.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace bouquet::bench {

// From 0 to 2^42 ns (73 minutes), what is longer counts as that; every quantile is at most 1/256 too long and never too short. Not
// thread-safe: one for each thread, added up.
class LatencyHistogram {
 public:
  static constexpr int kExactBits = 8;  // values below 2^(kExactBits + 1) have a bucket each
  static constexpr int kMostBits = 42;

  LatencyHistogram();

  void record(int64_t nanoseconds);  // less than 0 counts as 0
  void record_seconds(double seconds) { record(static_cast<int64_t>(seconds * 1e9)); }
  void add(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  // What a share of them, 0 to 1, does not pass: the ceil(share x count)-th, the first for 0; 0 where there is none.
  double quantile_ms(double share) const;

  // count, p50_ms, p99_ms, p999_ms and max_ms.
  nlohmann::ordered_json as_json() const;

 private:
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  int64_t longest_ = 0;  // nanoseconds
};

}  // namespace bouquet::bench
