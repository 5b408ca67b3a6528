// The device's own clock around a call through the seam: two events on the worker's stream, for benchmarks.
#pragma once

#include <optional>

#include "cuda/stream.h"

namespace bouquet::cuda {

// Does nothing before start(). Not thread-safe.
class CallClock {
 public:
  void start() {
    if (events_) return;
    events_.emplace();
  }

  // At the first work of a call.
  void begin(const Stream& stream) {
    if (!events_) return;
    events_->begin.record(stream);
    has_ended_ = false;
  }
  // After the last work of a call, before the stream is waited for: where that happens several times, the last one counts.
  void end(const Stream& stream) {
    if (!events_) return;
    events_->end.record(stream);
    has_ended_ = true;
  }
  // Once the stream has been waited for: the call went well. One without work took no time.
  void read() {
    if (events_) seconds_ = has_ended_ ? events_->end.seconds_since(events_->begin) : 0;
  }

  std::optional<double> seconds() const { return seconds_; }

 private:
  struct Events {
    Event begin{Timing::kOn}, end{Timing::kOn};
  };
  std::optional<Events> events_;
  bool has_ended_ = false;
  std::optional<double> seconds_;
};

}  // namespace bouquet::cuda
