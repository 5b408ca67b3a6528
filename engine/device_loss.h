// A device that is gone for this process, told apart from one that is full or misused: what was asked of it can be asked of another
// backend.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace bouquet {

inline constexpr char kDeviceLost[] = "bouquet.device_lost";

// Internal, with a mark that is_device_lost() finds.
inline absl::Status device_lost(std::string_view message) {
  absl::Status status = absl::InternalError({message.data(), message.size()});
  status.SetPayload(kDeviceLost, absl::Cord());
  return status;
}

inline bool is_device_lost(const absl::Status& status) { return !status.ok() && status.GetPayload(kDeviceLost).has_value(); }

}  // namespace bouquet
