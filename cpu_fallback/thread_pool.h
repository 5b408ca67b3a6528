// A fixed set of threads that share out numbered tasks. Results never depend on who takes a task: whatever a caller sums, it sums
// by task number afterwards.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace bouquet::cpu {

class ThreadPool {
 public:
  using Task = absl::FunctionRef<void(int worker, int64_t task)>;

  // `threads` >= 1 counts the caller of run(), so threads - 1 are started.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls f(worker, task) once for every task in [0, tasks), in no promised order but begun in ascending order, and returns when
  // all are done; their writes are then visible to the caller. `worker` is below size() and no two tasks run at once with the
  // same one, so that it may name scratch memory of the caller. f must not throw.
  //
  // Thread-safe. When the pool is taken (by another thread, or by the task that calls), has one thread, or there is one task, the
  // caller does all tasks itself as worker 0: several requests at once then use one thread each and nobody waits.
  void run(int64_t tasks, Task f);

 private:
  void work(int worker);
  void serve(const std::stop_token& stop, int worker);

  std::atomic<bool> taken_{false};
  std::atomic<int64_t> next_{0};
  int64_t tasks_ = 0;           // of the current run; written under mutex_ before the workers wake
  const Task* task_ = nullptr;  // likewise
  std::mutex mutex_;            // guards what follows
  std::condition_variable_any wake_;
  std::condition_variable done_;
  uint64_t round_ = 0;                 // runs begun
  int busy_ = 0;                       // threads still in the current run
  std::vector<std::jthread> threads_;  // last: they use everything above
};

}  // namespace bouquet::cpu
