#include "cpu_fallback/thread_pool.h"

namespace bouquet::cpu {

ThreadPool::ThreadPool(int threads) {
  threads_.reserve(static_cast<size_t>(threads - 1));
  for (int worker = 1; worker < threads; ++worker)
    threads_.emplace_back([this, worker](const std::stop_token& stop) { serve(stop, worker); });
}

ThreadPool::~ThreadPool() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void ThreadPool::run(int64_t tasks, Task f) {
  if (tasks <= 1 || threads_.empty() || taken_.exchange(true, std::memory_order_acquire)) {
    for (int64_t task = 0; task < tasks; ++task) f(0, task);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    task_ = &f;
    tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    busy_ = static_cast<int>(threads_.size());
    ++round_;
  }
  wake_.notify_all();
  work(0);
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }
  taken_.store(false, std::memory_order_release);
}

void ThreadPool::work(int worker) {
  for (int64_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < tasks_;) (*task_)(worker, task);
}

void ThreadPool::serve(const std::stop_token& stop, int worker) {
  uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return round_ != seen; })) return;  // asked to stop
      seen = round_;
    }
    work(worker);
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace bouquet::cpu
