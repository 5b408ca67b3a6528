#include "server/event_store/commit_queue.h"

#include <utility>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

bool stands_alone(const Append& append) { return append.merge.has_value() || append.unmerge.has_value(); }

// Whether `next` may be written with `first`.
bool go_together(const Append& first, const Append& next) {
  return first.erasure.has_value() == next.erasure.has_value() && !stands_alone(first) && !stands_alone(next);
}

}  // namespace

absl::Status CommitQueue::push(std::unique_ptr<Append> append) {
  const auto rows = static_cast<int64_t>(append->outcomes.size());
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return absl::UnavailableError("the server is shutting down");
    if (!waiting_.empty() && (rows_ + rows > options_.max_rows || bytes_ + append->bytes > options_.max_bytes))
      return no_resource("more events wait for the disk than the server keeps: send them again in a moment");
    rows_ += rows;
    bytes_ += append->bytes;
    waiting_.push_back(std::move(append));
  }
  changed_.notify_one();
  return absl::OkStatus();
}

std::vector<std::unique_ptr<Append>> CommitQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
  std::vector<std::unique_ptr<Append>> group;
  int64_t rows = 0, bytes = 0;
  while (!waiting_.empty()) {
    const auto next_rows = static_cast<int64_t>(waiting_.front()->outcomes.size());
    if (!group.empty() && (rows + next_rows > options_.max_group_rows || bytes + waiting_.front()->bytes > options_.max_group_bytes)) break;
    if (!group.empty() && !go_together(*group.front(), *waiting_.front())) break;
    rows += next_rows;
    bytes += waiting_.front()->bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  rows_ -= rows;
  bytes_ -= bytes;
  return group;
}

void CommitQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

}  // namespace bouquet::server
