// Jobs that tell what became of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "server/job.h"

namespace bouquet::server {

// What became of many jobs. Thread-safe.
class Outcomes {
 public:
  void add(absl::StatusCode code) {
    const std::lock_guard lock(mutex_);
    ++counts_[code];
    ++total_;
    changed_.notify_all();
  }
  int of(absl::StatusCode code) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(code);
    return found == counts_.end() ? 0 : found->second;
  }
  int total() const {
    const std::lock_guard lock(mutex_);
    return total_;
  }
  // False if it takes more than ten seconds.
  bool wait_for_total(int total) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return total_ >= total; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<absl::StatusCode, int> counts_;
  int total_ = 0;
};

class CountingJob final : public Job {
 public:
  CountingJob(Outcomes& outcomes, std::shared_ptr<std::atomic<bool>> cancelled = nullptr)
      : outcomes_(outcomes), cancelled_(std::move(cancelled)) {}
  ~CountingJob() override {
    if (!finished_) outcomes_.add(absl::StatusCode::kDataLoss);  // dropped without an answer: no test expects that
  }
  Question question() override { return Exchange<v1::RecommendRequest, v1::RecommendResponse>{nullptr, nullptr}; }
  bool cancelled() const override { return cancelled_ != nullptr && cancelled_->load(); }
  void finish(const absl::Status& status) override {
    if (finished_) outcomes_.add(absl::StatusCode::kInternal);  // twice: no test expects that
    finished_ = true;
    outcomes_.add(status.code());
  }

 private:
  Outcomes& outcomes_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  bool finished_ = false;
};

// A door in front of a fake backend: closed until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  // Until somebody stands in front of the door. False if it takes more than ten seconds.
  bool wait_for_visitor() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

// A clock that stands still until it is moved. Thread-safe.
class ManualClock {
 public:
  TimePoint now() const { return TimePoint(std::chrono::milliseconds(1000000 + ms_.load())); }
  void advance(std::chrono::milliseconds by) { ms_.fetch_add(by.count()); }
  ClockFunction function() {
    return [this] { return now(); };
  }

 private:
  std::atomic<int64_t> ms_{0};
};

}  // namespace bouquet::server
