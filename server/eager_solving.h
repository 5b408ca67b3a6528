// Solves profiles in the background as soon as something new of their customers is durable, so that the next request finds them solved
// (serve --solve eager). What comes faster than it is solved is left to the first request, which solves it as ever.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "absl/container/flat_hash_set.h"
#include "server/event_store/durable_listener.h"

namespace bouquet::server {

struct EagerSolvingOptions {
  size_t max_customers = 10'000;  // waiting
  size_t max_batch = 64;          // solved together
};

// What happened, for metrics. Called from any thread; quick.
class EagerSolvingObserver {
 public:
  virtual ~EagerSolvingObserver() = default;
  virtual void solved_ahead(int64_t /*customers*/) {}
  virtual void left_to_requests(int64_t /*customers*/) {}
};

// Thread-safe.
class EagerSolving {
 public:
  // Solves the profiles of these customers for the model that serves. Returns how many; called from one thread.
  using Solve = std::function<int64_t(std::span<const std::string> customer_ids)>;

  // `observer` outlives this.
  EagerSolving(const EagerSolvingOptions& options, EagerSolvingObserver& observer) : options_(options), observer_(observer) {}
  // As stop().
  ~EagerSolving();

  void start(Solve solve);
  // A batch that is being solved is finished; nothing is solved any more.
  void stop();

  // Whom the group brings something new of.
  void tell(const DurableGroup& group);
  // One who is waiting already waits once.
  void add(std::string_view customer_id);

 private:
  void run();

  const EagerSolvingOptions options_;
  EagerSolvingObserver& observer_;
  Solve solve_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  absl::flat_hash_set<std::string> waiting_ids_;
  bool ending_ = false;
  std::thread worker_;
};

}  // namespace bouquet::server
