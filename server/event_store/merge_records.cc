#include "server/event_store/merge_records.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/scan_options.h"

namespace bouquet::server {
namespace {

constexpr size_t kKeyBytes = 16, kValueBytes = 24;

std::string key_of(CustomerNumber from, uint64_t sequence) {
  std::string key;
  append_fixed64(from, key);
  append_fixed64(sequence, key);
  return key;
}

// Until `take` says false, or past what begins with `prefix`.
absl::Status scan_prefix(const StoreDatabase& database, const std::string& prefix, const std::function<bool(const MergeRecord&)>& take) {
  rocksdb::ColumnFamilyHandle* family = database.family(Family::kMerges);
  if (family == nullptr) return absl::OkStatus();
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator(scan_options(), family));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    const std::string_view key = at->key().ToStringView(), value = at->value().ToStringView();
    if (key.size() != kKeyBytes || value.size() != kValueBytes) return bad_input("the store: what it remembers of a merge is damaged");
    if (!take({.from = fixed64_at(key.data()),
               .into = fixed64_at(value.data()),
               .sequence = fixed64_at(key.data() + 8),
               .time = static_cast<int64_t>(fixed64_at(value.data() + 8)),
               .undone = fixed64_at(value.data() + 16)}))
      return absl::OkStatus();
  }
  return of_rocks(at->status());
}

}  // namespace

void put_merge(const StoreDatabase& database, const MergeRecord& record, rocksdb::WriteBatch& batch) {
  std::string value;
  append_fixed64(record.into, value);
  append_fixed64(static_cast<uint64_t>(record.time), value);
  append_fixed64(record.undone, value);
  batch.Put(database.family(Family::kMerges), key_of(record.from, record.sequence), value);
}

void delete_merge(const StoreDatabase& database, CustomerNumber from, uint64_t sequence, rocksdb::WriteBatch& batch) {
  batch.Delete(database.family(Family::kMerges), key_of(from, sequence));
}

absl::StatusOr<MergeRecord> read_merge(const StoreDatabase& database, CustomerNumber from, uint64_t sequence) {
  std::string prefix;
  append_fixed64(from, prefix);
  absl::StatusOr<MergeRecord> found = missing_input("the store: has no such merge");
  const absl::Status read = scan_prefix(database, prefix, [&](const MergeRecord& record) {
    if (record.sequence == sequence || record.undone == sequence) found = record;
    return !found.ok();
  });
  return read.ok() ? found : read;
}

absl::Status scan_merges(const StoreDatabase& database, const std::function<bool(const MergeRecord&)>& take) {
  return scan_prefix(database, {}, take);
}

}  // namespace bouquet::server
