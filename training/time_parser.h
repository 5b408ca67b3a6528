// Times as event files write them, to microseconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bouquet::training {

// Not thread-safe (it remembers the last minute's offset); copies are cheap.
class TimeParser {
 public:
  // `zone`: IANA name of naive times; empty: UTC. Errors: InvalidArgument (no such zone).
  static absl::StatusOr<TimeParser> for_zone(const std::string& zone);

  // RFC 3339, `YYYY-MM-DD HH:MM[:SS[.fraction]]`, `YYYY-MM-DD`, or Unix seconds with or without a fraction. Naive times are of the
  // zone; one that a clock change skips or repeats has the offset from before the change. Returns nullptr, or what is wrong.
  const char* parse(std::string_view text, int64_t& microseconds);
  // The same for numbers of seconds.
  const char* from_seconds(double seconds, int64_t& microseconds) const;
  const char* from_seconds(int64_t seconds, int64_t& microseconds) const;
  // Microseconds of a wall clock in the zone.
  int64_t from_naive(int64_t wall_microseconds);

 private:
  const char* parse_civil(std::string_view text, int64_t& microseconds);

  absl::TimeZone zone_ = absl::UTCTimeZone();
  bool utc_ = true;
  int64_t last_minute_ = INT64_MIN;  // of the wall clock
  int64_t last_offset_ = 0;          // seconds
};

}  // namespace bouquet::training
