// The time that a device itself takes for a call, beside what the host's clock sees: for benchmarks. Nobody else pays for it: nothing is
// recorded before time_on_device().
#pragma once

#include <optional>

#include "absl/status/status.h"

namespace bouquet {

// Base of what has calls worth timing. As thread-safe as those calls.
class TimedOnDevice {
 public:
  virtual ~TimedOnDevice() = default;

  // From now on every call is timed. Errors: Unimplemented (the backend computes on the host, whose clock says everything),
  // ResourceExhausted, Internal.
  virtual absl::Status time_on_device() { return absl::UnimplementedError("this backend has no clock but the host's"); }

  // Of the last call since then that went well: from its first work on the device to its last, copies and gaps in between included.
  // Nothing before such a call.
  virtual std::optional<double> device_seconds() const { return std::nullopt; }
};

}  // namespace bouquet
