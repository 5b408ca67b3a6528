#include "server/batcher.h"

#include <utility>

#include "server/batch_policy.h"

namespace bouquet::server {

Batcher::Batcher(BatcherOptions options, Execute execute, BatcherObserver* observer)
    : options_(std::move(options)), execute_(std::move(execute)), observer_(observer), queue_(options_.queue), parked_(options_.parked) {
  for (int32_t w = 0; w < options_.workers; ++w) workers_.emplace_back([this, w] { work(w); });
  timer_ = std::thread([this] { watch(); });
}

Batcher::~Batcher() { stop(); }

void Batcher::submit(QueuedJob job) {
  const bool to_come = job.min_version > 0 && options_.newest_version && job.min_version > options_.newest_version();
  to_come ? park(std::move(job)) : queue(std::move(job));
}

// Should it be recorded right now, the next look at what is parked sees that.
void Batcher::park(QueuedJob job) {
  std::vector<DroppedJob> dropped;
  parked_.push(std::move(job), options_.clock(), dropped);
  finish_dropped(dropped);
  {
    const std::lock_guard lock(mutex_);
    timer_sleeps_ = false;
  }
  timer_wanted_.notify_one();
}

void Batcher::stop_parking() {
  parked_.close();
  std::vector<DroppedJob> dropped;
  parked_.clear(dropped);
  finish_dropped(dropped);
}

void Batcher::queue(QueuedJob job) {
  std::vector<DroppedJob> dropped;
  const bool waits = queue_.push(std::move(job), options_.clock(), dropped);
  if (!waits) {
    finish_dropped(dropped);
    return;
  }
  bool wake_worker, wake_timer;
  {
    const std::lock_guard lock(mutex_);
    ++unclaimed_;
    wake_worker = idle_workers_ > 0;
    wake_timer = std::exchange(timer_sleeps_, false);
  }
  if (wake_worker) work_waits_.notify_one();
  if (wake_timer) timer_wanted_.notify_one();
}

void Batcher::stop() {
  stop_parking();
  queue_.close();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_waits_.notify_all();
  for (std::thread& worker : workers_)
    if (worker.joinable()) worker.join();
  {
    const std::lock_guard lock(mutex_);
    timer_stopping_ = true;
  }
  timer_wanted_.notify_all();
  if (timer_.joinable()) timer_.join();
}

void Batcher::work(int32_t worker) {
  std::vector<QueuedJob> batch;
  std::vector<DroppedJob> dropped;
  std::vector<absl::Status> statuses;
  for (;;) {
    int32_t wanted;
    {
      std::unique_lock lock(mutex_);
      ++idle_workers_;
      work_waits_.wait(lock, [this] { return unclaimed_ > 0 || stopping_; });
      wanted = requests_to_take({.queued = unclaimed_, .idle_workers = idle_workers_, .max_batch = options_.max_batch});
      --idle_workers_;
      unclaimed_ -= wanted;
      if (wanted == 0) return;  // stopping, and nothing waits
    }
    // The timer may have answered some of them: then the queue gives fewer.
    queue_.take(wanted, options_.clock(), batch, dropped);
    finish_dropped(dropped);
    if (batch.empty()) continue;
    statuses.assign(batch.size(), absl::OkStatus());
    executing_.fetch_add(static_cast<int32_t>(batch.size()), std::memory_order_relaxed);
    execute_(worker, batch, statuses);
    executing_.fetch_sub(static_cast<int32_t>(batch.size()), std::memory_order_relaxed);
    if (observer_ != nullptr) observer_->batch_done(static_cast<int32_t>(batch.size()));
    for (size_t i = 0; i < batch.size(); ++i) batch[i].job->finish(statuses[i]);
    batch.clear();
  }
}

void Batcher::watch() {
  std::vector<DroppedJob> dropped;
  std::vector<QueuedJob> recorded;
  std::unique_lock lock(mutex_);
  for (;;) {
    timer_sleeps_ = queue_.size() == 0 && parked_.size() == 0;
    timer_wanted_.wait(lock, [this] { return !timer_sleeps_ || timer_stopping_; });
    if (timer_stopping_) return;
    // Whatever comes meanwhile is seen then: a busy server wakes this thread once per interval, not once per request.
    timer_wanted_.wait_for(lock, options_.sweep_interval, [this] { return timer_stopping_; });
    lock.unlock();
    queue_.sweep(options_.clock(), dropped);
    if (parked_.size() > 0) {
      parked_.sweep(options_.clock(), dropped);
      parked_.take_recorded(options_.newest_version(), recorded);
    }
    finish_dropped(dropped);
    for (QueuedJob& job : recorded) queue(std::move(job));
    recorded.clear();
    lock.lock();
  }
}

void Batcher::finish_dropped(std::vector<DroppedJob>& dropped) {
  for (DroppedJob& gone : dropped) {
    if (observer_ != nullptr) observer_->dropped(gone.reason);
    gone.job->finish(status_of(gone.reason));
  }
  dropped.clear();
}

}  // namespace bouquet::server
