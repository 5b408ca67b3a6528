// How long the calls of a benchmark take: repeated until there is enough to say so.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::bench {

// Seconds of each timed call, ascending; at least one.
class CallTimes {
 public:
  // Calls three times to warm up, then `repetitions` times; 0: for about a second, 7 to 20000 times. `call` returns its own seconds, so
  // that what it prepares is not counted. Errors: the call's.
  static absl::StatusOr<CallTimes> measure(const std::function<absl::StatusOr<double>()>& call, int32_t repetitions);

  // 0.5: the median.
  double quantile(double share) const;
  // batch, repetitions, and median, p10 and p90 in milliseconds: what every row of results begins with.
  nlohmann::ordered_json row(int32_t batch) const;

 private:
  std::vector<double> seconds_;
};

}  // namespace bouquet::bench
