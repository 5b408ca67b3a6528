// One question on its way through the queue.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "server/recommender.h"

namespace bouquet::server {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using ClockFunction = std::function<TimePoint()>;

class Job {
 public:
  virtual ~Job() = default;

  // Request (valid) and response, both alive until finish().
  virtual Question question() = 0;
  // Whether nobody waits for the answer any more.
  virtual bool cancelled() const = 0;
  // Called exactly once, from any thread, before the job is destroyed: the answer is written, or `status` says why not.
  virtual void finish(const absl::Status& status) = 0;
};

struct QueuedJob {
  std::unique_ptr<Job> job;
  TimePoint deadline = TimePoint::max();
  int64_t bytes = 0;  // of the request, for the queue's bound
  // The answer takes into account what was recorded up to this profile_version, which may be still to come.
  int64_t min_version = 0;
  TimePoint enqueued{};  // set by the queue
};

}  // namespace bouquet::server
