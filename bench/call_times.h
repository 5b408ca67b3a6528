// How long the calls of a benchmark take: repeated until there is enough to say so.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::bench {

// One call: by the host's clock, and by the device's own where there is one.
struct CallTime {
  double wall_seconds = 0;
  std::optional<double> device_seconds = std::nullopt;
};

struct Repeats {
  int32_t warm_up = 3;      // calls before the first that counts
  int32_t repetitions = 0;  // 0: what fits in about a second, 7 to 20000
};

// Seconds of calls, in ascending order; at least one.
class Spread {
 public:
  Spread() = default;
  explicit Spread(std::vector<double> seconds);

  bool empty() const { return seconds_.empty(); }
  size_t count() const { return seconds_.size(); }
  // 0.5: the median.
  double quantile(double share) const;
  double median() const { return quantile(0.5); }
  // median_ms, p10_ms and p90_ms.
  nlohmann::ordered_json as_json() const;

 private:
  std::vector<double> seconds_;
};

struct CallTimes {
  // `call` returns its own time, so that what it prepares is not counted. Errors: the call's.
  static absl::StatusOr<CallTimes> measure(const std::function<absl::StatusOr<CallTime>()>& call, const Repeats& repeats);

  // What a rate is made of: by the device's clock where there is one, else by the host's.
  const Spread& best_clock() const { return device.empty() ? wall : device; }

  Spread wall;
  Spread device;  // empty: the backend has no clock but the host's
};

}  // namespace bouquet::bench
