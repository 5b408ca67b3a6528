#include "server/eager_solving.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace bouquet::server {

EagerSolving::~EagerSolving() { stop(); }

void EagerSolving::start(Solve solve) {
  solve_ = std::move(solve);
  worker_ = std::thread([this] { run(); });
}

void EagerSolving::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

void EagerSolving::tell(const DurableGroup& group) {
  for (const DurableEvent& event : group.events) add(event.customer_id);
  for (const DurableAttributes& attributes : group.attributes) add(attributes.said->customer_id);
  for (const DurableMerge& merge : group.merges) add(merge.from_customer_id);
  for (const DurableUnmerge& unmerge : group.unmerges) {
    add(unmerge.from_customer_id);
    add(unmerge.into_customer_id);
  }
}

void EagerSolving::add(std::string_view customer) {
  const std::string customer_id(customer);
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || waiting_ids_.contains(customer_id)) return;
    full = waiting_.size() >= options_.max_customers;
    if (!full) {
      waiting_.push_back(customer_id);
      waiting_ids_.insert(customer_id);
    }
  }
  full ? observer_.left_to_requests(1) : changed_.notify_one();
}

void EagerSolving::run() {
  std::vector<std::string> batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    batch.clear();
    while (!waiting_.empty() && batch.size() < options_.max_batch) {
      waiting_ids_.erase(waiting_.front());
      batch.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    lock.unlock();
    observer_.solved_ahead(solve_(batch));
    lock.lock();
  }
}

}  // namespace bouquet::server
