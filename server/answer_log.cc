#include "server/answer_log.h"

#include <algorithm>
#include <utility>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

constexpr size_t kGroupAnswers = 1'000;
constexpr int64_t kGroupBytes = int64_t{4} << 20;

}  // namespace

AnswerLog::~AnswerLog() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return sending_.empty(); });
}

uint64_t AnswerLog::next_number(int64_t time) {
  uint64_t before = newest_.load(std::memory_order_relaxed), next = 0;
  do {
    next = std::max(before + 1, static_cast<uint64_t>(time));
  } while (!newest_.compare_exchange_weak(before, next, std::memory_order_relaxed));
  return next;
}

void AnswerLog::keep(const std::string& customer_id, std::string inputs, AnswerName& name) {
  LoggedAnswer logged;
  name.set_log(next_number(name.time()));
  *logged.mutable_name() = name;
  logged.set_inputs(std::move(inputs));
  Entry entry{customer_id, name.log(), name.time(), logged.SerializeAsString()};
  {
    const std::lock_guard lock(mutex_);
    const int64_t bytes = entry.bytes();
    if (static_cast<int64_t>(waiting_.size()) < options_.max_answers && waiting_bytes_ + bytes <= options_.max_bytes) {
      waiting_bytes_ += bytes;
      waiting_.push_back(std::move(entry));
      if (sending_.empty()) send();
      return;
    }
  }
  name.clear_log();
  observer_.answers_dropped(1);
}

// What the store does not take has failed: it is full, or closing.
void AnswerLog::send() {
  while (!waiting_.empty()) {
    int64_t bytes = 0;
    while (!waiting_.empty() && sending_.size() < kGroupAnswers && bytes < kGroupBytes) {
      bytes += waiting_.front().bytes();
      sending_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiting_bytes_ -= bytes;
    answers_.clear();
    for (const Entry& entry : sending_)
      answers_.push_back({.customer_id = entry.customer_id,
                          .number = entry.number,
                          .time = entry.time,
                          .keep_until = entry.time + absl::ToInt64Microseconds(options_.retention),
                          .logged = entry.logged});
    if (store_.keep_answers(answers_, [this](std::span<const Outcome> outcomes) { sent(outcomes); }).ok()) return;
    observer_.answers_failed(static_cast<int64_t>(sending_.size()));
    sending_.clear();
  }
}

void AnswerLog::sent(std::span<const Outcome> outcomes) {
  int64_t kept = 0, failed = 0;
  for (const Outcome& outcome : outcomes)
    if (outcome.status.ok())
      ++kept;
    else if (!is_refusal(outcome.status))  // who was erased meanwhile is refused
      ++failed;
  if (kept > 0) observer_.answers_kept(kept);
  if (failed > 0) observer_.answers_failed(failed);
  const std::lock_guard lock(mutex_);
  sending_.clear();
  send();
  if (sending_.empty()) idle_.notify_all();
}

}  // namespace bouquet::server
