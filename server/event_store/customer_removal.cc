#include "server/event_store/customer_removal.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>

#include "server/event_store/customer_numbers.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

// Deletes every key that begins with `prefix`; returns how many there were.
absl::StatusOr<int64_t> remove_prefix(const StoreDatabase& database, Family family, const std::string& prefix, rocksdb::WriteBatch& batch) {
  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator(options, database.family(family)));
  int64_t count = 0;
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next(), ++count)
    batch.Delete(database.family(family), at->key());
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  return count;
}

}  // namespace

absl::StatusOr<RemovedRows> remove_customer(const StoreDatabase& database, std::string_view customer_id, CustomerNumber number,
                                            rocksdb::WriteBatch& batch) {
  std::string prefix;
  append_fixed64(number, prefix);
  const auto events = remove_prefix(database, Family::kEvents, prefix, batch);
  if (!events.ok()) return events.status();
  const auto attributes = remove_prefix(database, Family::kAttributes, prefix, batch);
  if (!attributes.ok()) return attributes.status();
  delete_customer(database, customer_id, number, batch);
  return RemovedRows{*events, *attributes};
}

}  // namespace bouquet::server
