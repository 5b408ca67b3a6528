// Times as messages have them, and as everything else does: microseconds since 1970.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>

namespace bouquet::server {

inline int64_t microseconds(const google::protobuf::Timestamp& time) { return time.seconds() * 1'000'000 + time.nanos() / 1000; }

inline google::protobuf::Timestamp timestamp(int64_t microseconds) {
  const int64_t seconds = microseconds / 1'000'000 - (microseconds % 1'000'000 < 0 ? 1 : 0);
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(static_cast<int32_t>(microseconds - seconds * 1'000'000) * 1000);
  return time;
}

// Whether it is in the range of google.protobuf.Timestamp: years 1 to 9999.
inline bool is_timestamp(const google::protobuf::Timestamp& time) {
  return time.seconds() >= -62135596800 && time.seconds() <= 253402300799 && time.nanos() >= 0 && time.nanos() <= 999999999;
}

}  // namespace bouquet::server
