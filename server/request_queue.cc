#include "server/request_queue.h"

#include <optional>
#include <utility>

namespace bouquet::server {
namespace {

// Why `job` must not be executed at `now`, if it must not.
std::optional<Drop> reason_to_drop(const QueuedJob& job, TimePoint now, const QueueLimits& limits) {
  if (job.job->cancelled()) return Drop::kCancelled;
  if (now >= job.deadline) return Drop::kExpired;
  if (now - job.enqueued > limits.max_wait) return limits.waited_too_long;
  return std::nullopt;
}

}  // namespace

absl::Status status_of(Drop reason) {
  switch (reason) {
    case Drop::kFull: return absl::ResourceExhaustedError("the server's queue is full; try again later");
    case Drop::kTooManyBytes: return absl::ResourceExhaustedError("the server's queue holds too many bytes; try again later");
    case Drop::kWaitedTooLong: return absl::ResourceExhaustedError("the request waited too long in the server's queue; try again later");
    case Drop::kExpired: return absl::DeadlineExceededError("the deadline passed before work on the request began");
    case Drop::kCancelled: return absl::CancelledError("the caller cancelled the request");
    case Drop::kClosed: return absl::UnavailableError("the server is shutting down");
    case Drop::kNotRecorded: return absl::UnavailableError("min_profile_version: has not been recorded here, nor while the request waited");
  }
  return absl::InternalError("unknown reason");
}

bool RequestQueue::push(QueuedJob job, TimePoint now, std::vector<DroppedJob>& dropped) {
  const std::lock_guard lock(mutex_);
  std::optional<Drop> reason;
  if (closed_)
    reason = Drop::kClosed;
  else if (now >= job.deadline)
    reason = Drop::kExpired;
  else if (static_cast<int32_t>(jobs_.size()) >= limits_.max_requests)
    reason = Drop::kFull;
  else if (bytes_ + job.bytes > limits_.max_bytes)
    reason = Drop::kTooManyBytes;
  if (reason) {
    dropped.push_back({std::move(job.job), *reason});
    return false;
  }
  job.enqueued = now;
  bytes_ += job.bytes;
  jobs_.push_back(std::move(job));
  return true;
}

void RequestQueue::take(int32_t count, TimePoint now, std::vector<QueuedJob>& taken, std::vector<DroppedJob>& dropped) {
  const std::lock_guard lock(mutex_);
  while (count > 0 && !jobs_.empty()) {
    QueuedJob job = std::move(jobs_.front());
    jobs_.pop_front();
    bytes_ -= job.bytes;
    if (const auto reason = reason_to_drop(job, now, limits_)) {
      dropped.push_back({std::move(job.job), *reason});
      continue;
    }
    taken.push_back(std::move(job));
    --count;
  }
}

template <typename Leaves>
void RequestQueue::remove_if(const Leaves& leaves) {
  size_t kept = 0;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const int64_t bytes = jobs_[i].bytes;
    if (leaves(jobs_[i])) {
      bytes_ -= bytes;
      continue;
    }
    if (kept != i) jobs_[kept] = std::move(jobs_[i]);
    ++kept;
  }
  jobs_.resize(kept);
}

void RequestQueue::take_recorded(int64_t newest, std::vector<QueuedJob>& taken) {
  const std::lock_guard lock(mutex_);
  remove_if([&](QueuedJob& job) {
    if (job.min_version > newest) return false;
    taken.push_back(std::move(job));
    return true;
  });
}

void RequestQueue::sweep(TimePoint now, std::vector<DroppedJob>& dropped) {
  const std::lock_guard lock(mutex_);
  remove_if([&](QueuedJob& job) {
    const auto reason = reason_to_drop(job, now, limits_);
    if (reason) dropped.push_back({std::move(job.job), *reason});
    return reason.has_value();
  });
}

void RequestQueue::clear(std::vector<DroppedJob>& dropped) {
  const std::lock_guard lock(mutex_);
  remove_if([&](QueuedJob& job) {
    dropped.push_back({std::move(job.job), Drop::kClosed});
    return true;
  });
}

void RequestQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

int32_t RequestQueue::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int32_t>(jobs_.size());
}

int64_t RequestQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace bouquet::server
