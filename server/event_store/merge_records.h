// Which customers are one person, as Family::kMerges has it: by numbers, so that no id stands there. What was taken back stays, marked:
// a model that was trained before has both in one row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct MergeRecord {
  CustomerNumber from = 0, into = 0;
  uint64_t sequence = 0;
  int64_t time = 0;     // microseconds since 1970
  uint64_t undone = 0;  // the sequence that took it back; 0: it holds

  // Whether the two were one person when everything up to the sequence number had arrived.
  bool held_at(uint64_t at) const { return sequence <= at && (undone == 0 || undone > at); }
};

// Who was one person when everything up to a sequence number had arrived, and who is not any more.
class MergesAt {
 public:
  explicit MergesAt(uint64_t sequence) : sequence_(sequence) {}

  void add(const MergeRecord& record) {
    if (!record.held_at(sequence_)) return;
    into_[record.from] = record.into;
    if (record.undone != 0) taken_out_.push_back(record.from);
  }
  CustomerNumber root_of(CustomerNumber customer) const {
    auto at = into_.find(customer);
    for (size_t step = 0; step < into_.size() && at != into_.end(); ++step) {  // round in a circle in a damaged store
      customer = at->second;
      at = into_.find(customer);
    }
    return customer;
  }
  const std::map<CustomerNumber, CustomerNumber>& into() const { return into_; }
  // Those whose merge held then and was taken back later.
  const std::vector<CustomerNumber>& taken_out() const { return taken_out_; }

 private:
  const uint64_t sequence_;
  std::map<CustomerNumber, CustomerNumber> into_;
  std::vector<CustomerNumber> taken_out_;
};

// In the place of the one with the same `from` and sequence.
void put_merge(const StoreDatabase& database, const MergeRecord& record, rocksdb::WriteBatch& batch);
void delete_merge(const StoreDatabase& database, CustomerNumber from, uint64_t sequence, rocksdb::WriteBatch& batch);

// The merge of `from` that arrived with the sequence, or that was taken back by it. Errors: NotFound, DataLoss, ResourceExhausted.
absl::StatusOr<MergeRecord> read_merge(const StoreDatabase& database, CustomerNumber from, uint64_t sequence);

// All of them, by `from`, then by sequence; until `take` says false. Nothing in a store that an older program has made and no server has
// opened since. Errors: DataLoss, ResourceExhausted.
absl::Status scan_merges(const StoreDatabase& database, const std::function<bool(const MergeRecord&)>& take);

}  // namespace bouquet::server
