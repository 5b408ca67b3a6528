// One group commit in the making: what some appends come to, given what the store has, as one batch of writes.
#pragma once

#include <rocksdb/write_batch.h>

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "server/event_store/commit_queue.h"
#include "server/event_store/durable_listener.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/merge_table.h"
#include "server/event_store/name_table.h"
#include "server/event_store/store_counters.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// What the store holds, besides what only the disk has.
struct StoreTables {
  const NameTable& items;
  const NameTable& types;
  ErasureTable& erasures;
  const MergeTable& merges;
};

class EventGroup {
 public:
  using Appends = std::span<const std::unique_ptr<Append>>;

  // What is passed outlives the group; nobody else writes events meanwhile. Ids that arrived before `oldest` are forgotten.
  EventGroup(const StoreDatabase& database, const StoreTables& tables, const StoreCounters& counters, absl::Time now, absl::Time oldest)
      : database_(database),
        tables_(tables),
        counters_(counters),
        before_(counters),
        now_(absl::ToUnixMicros(now)),
        oldest_(absl::ToUnixSeconds(oldest)) {}

  // Decides every row whose outcome is not an error yet, and fills the batch. Errors: those of reading; nothing is decided then.
  absl::Status resolve(Appends appends);
  // The batch could not be made or written: rows that were to be stored, and repetitions of such, get `why`.
  void fail(Appends appends, const absl::Status& why) const;

  rocksdb::WriteBatch& batch() { return batch_; }
  bool empty() const { return batch_.Count() == 0 && !has_rows(); }

  // Of what is in the batch.
  DurableGroup durable() const { return {events_, attributes_, erasures_, merges_, unmerges_, counters_.sequence}; }
  const StoreCounters& counters() const { return counters_; }
  int64_t time() const { return now_; }  // of erasures and merges in it
  std::span<const std::string_view> new_items() const { return new_items_.names; }
  std::span<const std::string_view> new_types() const { return new_types_.names; }

 private:
  struct NewNames {
    absl::flat_hash_map<std::string_view, int32_t> numbers;
    std::vector<std::string_view> names;
  };

  // One erasure: all ids of a person, the one that was named first.
  struct ErasedPerson {
    uint64_t sequence = 0;
    std::vector<std::string> ids;
  };

  bool has_rows() const { return !(events_.empty() && attributes_.empty() && erased_.empty() && merges_.empty() && unmerges_.empty()); }
  absl::Status look_up_ids(Appends appends);
  absl::Status look_up_customers();
  void meet_customers();
  // Whether the row's id came before; its outcome then says what became of it.
  bool came_before(Append& append, size_t row, bool has_id);
  // Remembers the row's id, if it has one, with the sequence of its outcome.
  void remember(const Append& append, size_t row, bool has_id);
  // Whether row `row` of `append` is to be stored; else its outcome says why not.
  bool accept(Append& append, size_t row, bool has_id);
  void accept_rows(Appends appends);
  void accept_erasure(const Append& append);
  void accept_merge(Append& append);
  void accept_unmerge(Append& append);
  void accept_event(const Append& append, size_t row);
  void accept_answer(const NewAnswer& answer, Outcome& outcome);
  // Whether the event is of somebody's life that was erased.
  bool was_erased(const NewEvent& event, int64_t arrived) const;
  absl::Status put_rows();
  int32_t number_of(std::string_view name, const NameTable& known, NewNames& added);
  void put_event(DurableEvent& event);
  void put_attributes(const DurableAttributes& attributes);
  absl::Status put_erasure(const ErasedPerson& person);
  // Takes the customer of the id out; 0: the store has met nobody of that id.
  absl::StatusOr<CustomerNumber> put_removal(const std::string& customer_id, ErasureReceipt& receipt);
  void put_merges();

  const StoreDatabase& database_;
  const StoreTables tables_;
  StoreCounters counters_;
  const StoreCounters before_;
  const int64_t now_;     // microseconds since 1970
  const int64_t oldest_;  // seconds
  rocksdb::WriteBatch batch_;
  absl::flat_hash_map<EventIdHash, EventIdEntry> ids_;  // of the store, and of the group so far
  absl::flat_hash_map<std::string_view, CustomerNumber> customers_;
  NewNames new_items_, new_types_;
  std::vector<DurableEvent> events_;
  std::vector<DurableAttributes> attributes_;
  std::deque<ErasedPerson> erased_;  // what `erasures_` has ids from
  std::vector<DurableErasure> erasures_;
  // One at most of both together, and of what it concerns: what holds, and what is to hold.
  std::vector<DurableMerge> merges_;
  std::vector<DurableUnmerge> unmerges_;
  Merge undone_;
  std::string key_, value_;
};

}  // namespace bouquet::server
