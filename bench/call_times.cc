#include "bench/call_times.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace bouquet::bench {

Spread::Spread(std::vector<double> seconds) : seconds_(std::move(seconds)) { std::ranges::sort(seconds_); }

double Spread::quantile(double share) const { return seconds_[static_cast<size_t>(share * static_cast<double>(seconds_.size() - 1))]; }

nlohmann::ordered_json Spread::as_json() const {
  return {{"median_ms", median() * 1e3}, {"p10_ms", quantile(0.1) * 1e3}, {"p90_ms", quantile(0.9) * 1e3}};
}

absl::StatusOr<CallTimes> CallTimes::measure(const std::function<absl::StatusOr<CallTime>()>& call, const Repeats& repeats) {
  using Clock = std::chrono::steady_clock;
  for (int32_t i = 0; i < repeats.warm_up; ++i)
    if (const auto time = call(); !time.ok()) return time.status();
  std::vector<double> wall, device;
  const auto start = Clock::now();
  const auto enough = [&] {
    if (repeats.repetitions > 0) return static_cast<int32_t>(wall.size()) >= repeats.repetitions;
    return wall.size() >= 7 && (wall.size() >= 20000 || Clock::now() - start >= std::chrono::seconds(1));
  };
  while (!enough()) {
    const auto time = call();
    if (!time.ok()) return time.status();
    wall.push_back(time->wall_seconds);
    if (time->device_seconds) device.push_back(*time->device_seconds);
  }
  return CallTimes{Spread(std::move(wall)), Spread(std::move(device))};
}

}  // namespace bouquet::bench
