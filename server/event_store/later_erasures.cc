#include "server/event_store/later_erasures.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "server/event_store/answer_entries.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/customer_removal.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/merge_records.h"
#include "server/event_store/store_counters.h"

namespace bouquet::server {
namespace {

constexpr size_t kBatchBytes = size_t{4} << 20;

class ErasingAgain {
 public:
  ErasingAgain(StoreDatabase& restored, const StoreCounters& counters) : restored_(restored), counters_(counters) {}

  // Errors: those of reading.
  absl::Status load(const StoreDatabase& later) {
    if (absl::Status s = before_.load(restored_); !s.ok()) return s;
    return after_.load(later);
  }

  // Everybody of the backup's time whose last erasure the backup does not know: it came after all that the backup has of them.
  absl::StatusOr<int64_t> remove_customers() {
    absl::flat_hash_set<CustomerNumber> removed;
    CustomersByNumber ids(restored_);
    for (CustomerNumber number = 1; !after_.empty() && number <= counters_.last_customer; ++number) {
      const auto id = ids.id(number);
      if (id.status().code() == absl::StatusCode::kNotFound) continue;
      if (!id.ok()) return id.status();
      if (!was_erased_since(*id)) continue;
      const auto rows = remove_customer(restored_, *id, number, batch_);
      if (!rows.ok()) return rows.status();
      counters_.events -= static_cast<uint64_t>(rows->events);
      --counters_.customers;
      removed.insert(number);
      if (batch_.GetDataSize() < kBatchBytes) continue;
      if (absl::Status s = write(); !s.ok()) return s;
    }
    if (absl::Status s = remove_merges(removed); !s.ok()) return s;
    return static_cast<int64_t>(removed.size());
  }

  // New arrivals are numbered after the newest erasure: a receipt is known by its number.
  absl::Status take_over(const StoreDatabase& later) {
    auto receipts = read_receipts(later);
    if (!receipts.ok()) return receipts.status();
    if (receipts->empty()) return absl::OkStatus();
    const auto known = read_receipts(restored_);
    if (!known.ok()) return known.status();
    if (absl::Status s = copy_family(later); !s.ok()) return s;
    // What a receipt says of files is of the store that has them: bytes of whom the new ones are of stand in those of the backup.
    for (auto& [sequence, receipt] : *receipts) {
      const auto own = known->find(sequence);
      if (own == known->end())
        if (absl::Status s = remove_answers_of(receipt); !s.ok()) return s;
      receipt.clear_files_gone_time();
      put_receipt(restored_, sequence, own == known->end() ? receipt : own->second, batch_);
    }
    counters_.sequence = std::max(counters_.sequence, receipts->rbegin()->first);
    return write();
  }

 private:
  // Whoever was one person with them when the backup was taken, and not any more when they were erased, is left alone.
  absl::Status remove_merges(const absl::flat_hash_set<CustomerNumber>& of) {
    return scan_merges(restored_, [&](const MergeRecord& record) {
      if (of.contains(record.from) || of.contains(record.into)) delete_merge(restored_, record.from, record.sequence, batch_);
      return true;
    });
  }

  // By the hashes of both stores, which are one store's: whatever the backup has under them is from before.
  absl::Status remove_answers_of(const ErasureReceipt& receipt) {
    absl::StatusOr<int64_t> removed = remove_answers(restored_, receipt.id_hash(), batch_);
    for (const ErasureReceipt::Other& other : receipt.others())
      if (removed.ok()) removed = remove_answers(restored_, other.id_hash(), batch_);
    return removed.status();
  }

  bool was_erased_since(std::string_view id) const {
    const auto after = after_.find(id);
    if (!after) return false;
    const auto before = before_.find(id);
    return !before || before->sequence != after->sequence;
  }

  absl::Status copy_family(const StoreDatabase& later) {
    const std::unique_ptr<rocksdb::Iterator> at(later.rocks().NewIterator({}, later.family(Family::kErasures)));
    for (at->SeekToFirst(); at->Valid(); at->Next()) batch_.Put(restored_.family(Family::kErasures), at->key(), at->value());
    return of_rocks(at->status());
  }

  absl::Status write() {
    batch_.Put(restored_.family(Family::kCounters), {kCountersKey.data(), kCountersKey.size()}, encode(counters_));
    absl::Status written = restored_.write(batch_);
    batch_.Clear();
    return written;
  }

  StoreDatabase& restored_;
  StoreCounters counters_;
  ErasureTable before_, after_;
  rocksdb::WriteBatch batch_;
};

}  // namespace

absl::StatusOr<int64_t> erase_again(StoreDatabase& restored, const StoreDatabase& later) {
  const auto counters = read_counters(restored);
  if (!counters.ok()) return counters.status();
  ErasingAgain erasing(restored, *counters);
  if (absl::Status s = erasing.load(later); !s.ok()) return s;
  const auto removed = erasing.remove_customers();
  if (!removed.ok()) return removed.status();
  if (absl::Status s = erasing.take_over(later); !s.ok()) return s;
  return *removed;
}

}  // namespace bouquet::server
