// Keeps what comes with requests in the event store, without keeping anybody's answer waiting for the disk ([answers] log).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/answer_inputs.h"
#include "server/event_store/event_store.h"

namespace bouquet::server {

struct AnswerLogOptions {
  absl::Duration retention = absl::Hours(24 * 30);
  int64_t max_answers = 10'000;  // waiting for the disk
  int64_t max_bytes = int64_t{16} << 20;
};

// What happened, for metrics. Called from any thread; quick.
class AnswerLogObserver {
 public:
  virtual ~AnswerLogObserver() = default;
  virtual void answers_kept(int64_t /*answers*/) {}
  virtual void answers_dropped(int64_t /*answers*/) {}  // more were waiting than there is room for
  virtual void answers_failed(int64_t /*answers*/) {}   // they could not be written
};

// Thread-safe. At most one group of it waits in the store's own queue, so that events and answers do not keep each other out.
class AnswerLog final : public AnswerInputsLog {
 public:
  // Both outlive the log.
  AnswerLog(EventStore& store, const AnswerLogOptions& options, AnswerLogObserver& observer)
      : store_(store), options_(options), observer_(observer) {}
  // What waits is written first.
  ~AnswerLog() override;

  void keep(const std::string& customer_id, std::string inputs, AnswerName& name) override;

 private:
  struct Entry {
    std::string customer_id;
    uint64_t number = 0;
    int64_t time = 0;
    std::string logged;

    int64_t bytes() const { return static_cast<int64_t>(sizeof(Entry) + customer_id.size() + logged.size()); }
  };

  // Larger than any before, also in an earlier process: microseconds since 1970, or the next free number.
  uint64_t next_number(int64_t time);
  // While the mutex is held.
  void send();
  void sent(std::span<const Outcome> outcomes);

  EventStore& store_;
  const AnswerLogOptions options_;
  AnswerLogObserver& observer_;
  std::atomic<uint64_t> newest_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<Entry> waiting_;
  int64_t waiting_bytes_ = 0;
  std::vector<Entry> sending_;      // what the store has now; empty: nothing
  std::vector<NewAnswer> answers_;  // of them
};

}  // namespace bouquet::server
