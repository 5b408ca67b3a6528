// Turns single requests into batches: a queue, workers that empty it as fast as they can, and a timer that answers what must not
// wait any longer, also while every worker is busy or stuck. Requests that ask for what has not been recorded yet (min_version) are parked
// beside the queue, so that they hold neither a worker nor a place in it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "server/request_queue.h"

namespace bouquet::server {

struct BatcherOptions {
  QueueLimits queue;
  // Of those that are parked; their wait in the queue begins afterwards.
  QueueLimits parked{.max_wait = std::chrono::seconds(5), .waited_too_long = Drop::kNotRecorded};
  // Up to which profile_version everything is recorded, which only grows. Empty: nothing is recorded, and nothing is parked.
  std::function<int64_t()> newest_version = {};
  int32_t workers = 1;
  int32_t max_batch = 64;
  // How often the timer looks, while anything waits. Expired and cancelled requests are answered this much late at most, and those that are
  // parked go on.
  std::chrono::milliseconds sweep_interval{5};
  ClockFunction clock = [] { return Clock::now(); };
};

// What happened, for metrics. Called from any thread; quick.
class BatcherObserver {
 public:
  virtual ~BatcherObserver() = default;
  virtual void batch_done(int32_t /*size*/) {}
  virtual void dropped(Drop /*reason*/) {}
};

class Batcher {
 public:
  // Executes a batch on worker `worker` and returns one status per job. Jobs are finished by the batcher afterwards.
  using Execute = std::function<void(int32_t worker, std::span<const QueuedJob> batch, std::span<absl::Status> statuses)>;

  Batcher(BatcherOptions options, Execute execute, BatcherObserver* observer = nullptr);
  // As stop().
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Takes the job; it is finished sooner or later, at once if the queue does not take it.
  void submit(QueuedJob job);

  // Turns away what is parked or would be.
  void stop_parking();

  // Executes what waits, turns away what comes, and returns when the workers have ended.
  void stop();

  int32_t queued() const { return queue_.size(); }
  int32_t parked() const { return parked_.size(); }
  int32_t executing() const { return executing_.load(std::memory_order_relaxed); }

 private:
  void queue(QueuedJob job);
  void park(QueuedJob job);
  void work(int32_t worker);
  void watch();
  void finish_dropped(std::vector<DroppedJob>& dropped);

  const BatcherOptions options_;
  const Execute execute_;
  BatcherObserver* const observer_;
  RequestQueue queue_, parked_;
  std::mutex mutex_;  // guards what the two conditions are about
  std::condition_variable work_waits_, timer_wanted_;
  int32_t idle_workers_ = 0;
  int32_t unclaimed_ = 0;  // pushed and not yet seen by a worker: what work_waits_ is about
  bool timer_sleeps_ = false;
  bool stopping_ = false;  // workers end when nothing waits
  bool timer_stopping_ = false;
  std::atomic<int32_t> executing_{0};
  std::vector<std::thread> workers_;
  std::thread timer_;
};

}  // namespace bouquet::server
