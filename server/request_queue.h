// The requests that wait for a worker: first come, first served, bounded exactly by count, bytes and time. Passive: it has no thread
// and no clock of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "server/job.h"

namespace bouquet::server {

// Why a job left the queue without being executed.
enum class Drop { kFull, kTooManyBytes, kWaitedTooLong, kExpired, kCancelled, kClosed, kNotRecorded };
absl::Status status_of(Drop reason);

struct QueueLimits {
  int32_t max_requests = 1024;
  int64_t max_bytes = 16 << 20;
  std::chrono::milliseconds max_wait{200};  // longer waits are turned away: an answer that late is worth less than a quick no
  Drop waited_too_long = Drop::kWaitedTooLong;
};

struct DroppedJob {
  std::unique_ptr<Job> job;
  Drop reason;
};

// Thread-safe. Jobs that leave are returned, never finished under its lock.
class RequestQueue {
 public:
  explicit RequestQueue(QueueLimits limits) : limits_(limits) {}

  // Takes the job, or moves it to `dropped`: kClosed, kExpired, kFull, kTooManyBytes, in this order. Returns whether it waits now.
  bool push(QueuedJob job, TimePoint now, std::vector<DroppedJob>& dropped);

  // Moves up to `count` jobs to `taken`, oldest first, passing over those that are cancelled, expired or waited too long.
  void take(int32_t count, TimePoint now, std::vector<QueuedJob>& taken, std::vector<DroppedJob>& dropped);

  // Moves those to `taken` whose min_version is `newest` or less, in order; what must not be executed goes with the next sweep().
  void take_recorded(int64_t newest, std::vector<QueuedJob>& taken);

  // Removes every job that is cancelled, expired or waited too long.
  void sweep(TimePoint now, std::vector<DroppedJob>& dropped);

  // From now on every push is kClosed. What waits stays.
  void close();
  // Removes everything, as kClosed.
  void clear(std::vector<DroppedJob>& dropped);

  int32_t size() const;
  int64_t bytes() const;

 private:
  // Keeps those of which `leaves` is not true, in order.
  template <typename Leaves>
  void remove_if(const Leaves& leaves);

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  std::deque<QueuedJob> jobs_;
  int64_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace bouquet::server
