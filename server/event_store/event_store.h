// What customers did and what is known of them, durable: an event that was acknowledged is there after the process was killed or the power
// went, once, however often it was sent. Many callers share one synced write (group commit).
//
// Rules
//   - An event_id makes repetition harmless for the database's window from its first arrival, across restarts: the same content again is
//     acknowledged with the first one's sequence and stored once; other content is AlreadyExists, and the first stays. Events without one
//     are stored as often as they come.
//   - Late events are stored and count by their time. An event more than `max_future` ahead of the clock is InvalidArgument; within that
//     bound its time is stored as it is. One without a time gets that of its arrival.
//   - Events for items and of types that no model knows are kept: they count once a model knows them.
//   - Attributes: the last word on each, by arrival; one set to nothing is kept as missing.
//   - Events, changes of attributes, erasures and merges are numbered in one sequence, from 1, by arrival: what a profile has seen is one
//   number.
//   - An erasure takes everything that came before it. Events that come later count, as those of somebody new, unless they happened before
//   it:
//     those are FailedPrecondition, whether the store ever had them or not.
//   - What came with requests is kept until its time is over, by the customer that it is of; it has no sequence and changes no profile. An
//     erasure takes it too.
//   - Two ids that are merged keep what was said of each; who is asked about reads all ids of the person (merge_table.h). Erasing one
//     erases all of them.
//
// To keep something up to date with the store, give a DurableListener: it is called on the writer's thread, group by group, after a group
// is durable and before anybody is told so. Hence whoever was acknowledged finds the listener's work done. Events that were there when the
// store was opened are not told: read them (EventReader) on demand. The listener must not wait for an append, and the next group waits
// for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/event_store/commit_queue.h"
#include "server/event_store/durable_listener.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/event_reader.h"
#include "server/event_store/merge_records.h"
#include "server/event_store/merge_table.h"
#include "server/event_store/name_table.h"
#include "server/event_store/store_counters.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// What one group commit came to.
struct CommitReport {
  int64_t stored = 0;        // events
  int64_t repeated = 0;      // rows that the store had already
  int64_t refused = 0;       // rows with an error of their own
  int64_t failed = 0;        // rows that could not be written
  double write_seconds = 0;  // of the synced write; 0: there was nothing to write
};

// Called from the writer's thread.
class EventStoreObserver {
 public:
  virtual ~EventStoreObserver() = default;
  virtual void committed(const CommitReport& report) = 0;
};

struct EventStoreOptions {
  absl::Duration max_future = absl::Hours(1);
  std::function<absl::Time()> clock = absl::Now;
  CommitQueueOptions queue;
  DurableListener listener;                // may be empty
  EventStoreObserver* observer = nullptr;  // may be none; outlives the store
};

class EventGroup;

struct StoredAttributes {
  std::map<std::string, v1::AttributeValue> values;  // nothing set: missing
  uint64_t sequence = 0;                             // of the newest change; 0: there was none
};

// Thread-safe.
class EventStore {
 public:
  // `database` outlives the store. Errors: DataLoss, ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<EventStore>> open(StoreDatabase& database, EventStoreOptions options = {});
  // Everything that was taken is written and answered first.
  ~EventStore();

  // Ok: taken, and `done` is called once, with an outcome for each event in order, from the writer's thread; `events` and their texts live
  // until then. `unwanted` is asked once, by the writer before it begins: what it says, if not Ok, is the outcome of every event then, and
  // none is written. Errors, and `done` is never called: ResourceExhausted (the queue is full), Unavailable (the store is closing).
  absl::Status append(std::span<const NewEvent> events, Append::Done done, Append::Unwanted unwanted = {});
  // Likewise, with one outcome; what `attributes` points to lives until then.
  absl::Status set_attributes(const NewAttributes& attributes, Append::Done done, Append::Unwanted unwanted = {});

  // Likewise, with one outcome: everything of the customer goes, and of whoever is merged with them, and the ids' next life begins.
  absl::Status erase_customer(const NewErasure& erasure, Append::Done done, Append::Unwanted unwanted = {});

  // Likewise, with one outcome, FailedPrecondition where MergeTable's checks say so: two ids, which differ, are one person from now on; or
  // are two again.
  absl::Status merge_customers(const NewMerge& merge, Append::Done done, Append::Unwanted unwanted = {});
  absl::Status unmerge_customers(const NewUnmerge& unmerge, Append::Done done, Append::Unwanted unwanted = {});

  // Likewise, with an outcome for each, without a sequence: FailedPrecondition where the customer was erased after the answer was made.
  // What `answers` has lives until then.
  absl::Status keep_answers(std::span<const NewAnswer> answers, Append::Done done);

  // No number: the store has not met the customer. Errors of all reads: DataLoss, ResourceExhausted (the disk fails), Internal.
  absl::StatusOr<std::optional<CustomerNumber>> find_customer(std::string_view id) const;
  // Also NotFound.
  absl::StatusOr<std::string> customer_id(CustomerNumber number) const;
  absl::StatusOr<StoredAttributes> attributes_of(CustomerNumber customer) const;
  // Every customer of whom attributes were said, with the sequence of the newest change, by number; until `take` says false.
  absl::Status scan_attributes(const std::function<bool(CustomerNumber, uint64_t sequence)>& take) const;
  const EventReader& events() const { return reader_; }
  // Item ids and event types by the numbers that StoredEvent has; they only grow.
  const NameTable& item_ids() const { return items_; }
  const NameTable& event_types() const { return types_; }
  const ErasureTable& erasures() const { return erasures_; }
  const MergeTable& merges() const { return merges_; }
  absl::Status check_unmerge(std::string_view from) const { return merges_.check_unmerge(from, options_.clock()); }
  // Of `from`, with this sequence or taken back by it. Also NotFound: one of the two was erased since.
  absl::StatusOr<MergeRecord> merge_of(std::string_view from, uint64_t sequence) const;
  // All that ever were (merge_records.h).
  absl::Status scan_merges(const std::function<bool(const MergeRecord&)>& take) const { return server::scan_merges(database_, take); }
  // What came with the request of an answer for this customer, empty for a visitor. Also NotFound: there is nothing, or its time is over.
  absl::StatusOr<LoggedAnswer> answer_of(std::string_view customer_id, uint64_t number) const {
    return read_answer(database_, erasures_.hash_of(customer_id), number, options_.clock());
  }
  // Of all answers for this customer of which anything is kept, oldest first.
  absl::Status scan_answers(std::string_view customer_id, const std::function<void(const AnswerEntry&)>& take) const {
    return server::scan_answers(database_, erasures_.hash_of(customer_id), options_.clock(), take);
  }
  // Of the erasure with this sequence. Also NotFound.
  absl::StatusOr<ErasureReceipt> receipt_of(uint64_t sequence) const { return read_receipt(database_, sequence); }
  std::string receipt_id_of(uint64_t sequence) const { return receipt_id(database_, sequence); }

  // The newest that is durable and that the listener has seen; 0: none.
  uint64_t newest_sequence() const { return newest_.load(std::memory_order_acquire); }

 private:
  EventStore(StoreDatabase& database, EventStoreOptions options);
  void write_groups();
  void commit(std::span<const std::unique_ptr<Append>> appends);
  void update_tables(const EventGroup& group);
  void tell(std::span<const std::unique_ptr<Append>> appends, CommitReport report);

  StoreDatabase& database_;
  const EventStoreOptions options_;
  NameTable items_{NameKind::kItem};
  NameTable types_{NameKind::kEventType};
  ErasureTable erasures_;
  MergeTable merges_;
  const EventReader reader_{database_, items_, types_};
  StoreCounters counters_;  // the writer's
  std::atomic<uint64_t> newest_{0};
  CommitQueue queue_;
  std::thread writer_;
};

}  // namespace bouquet::server
