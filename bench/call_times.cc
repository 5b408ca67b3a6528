#include "bench/call_times.h"

#include <algorithm>
#include <chrono>

namespace bouquet::bench {

absl::StatusOr<CallTimes> CallTimes::measure(const std::function<absl::StatusOr<double>()>& call, int32_t repetitions) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < 3; ++i)  // warm-up
    if (const auto s = call(); !s.ok()) return s.status();
  CallTimes times;
  const auto start = Clock::now();
  const auto enough = [&] {
    const size_t done = times.seconds_.size();
    if (repetitions > 0) return static_cast<int32_t>(done) >= repetitions;
    return done >= 7 && (done >= 20000 || Clock::now() - start >= std::chrono::seconds(1));
  };
  while (!enough()) {
    const auto s = call();
    if (!s.ok()) return s.status();
    times.seconds_.push_back(*s);
  }
  std::ranges::sort(times.seconds_);
  return times;
}

double CallTimes::quantile(double share) const { return seconds_[static_cast<size_t>(share * static_cast<double>(seconds_.size() - 1))]; }

nlohmann::ordered_json CallTimes::row(int32_t batch) const {
  return {{"batch", batch},
          {"repetitions", seconds_.size()},
          {"median_ms", quantile(0.5) * 1e3},
          {"p10_ms", quantile(0.1) * 1e3},
          {"p90_ms", quantile(0.9) * 1e3}};
}

}  // namespace bouquet::bench
