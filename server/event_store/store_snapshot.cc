#include "server/event_store/store_snapshot.h"

#include <rocksdb/db.h>

#include <utility>

#include "engine/errors.h"
#include "server/event_store/attribute_entry.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/merge_records.h"
#include "server/event_store/scan_options.h"
#include "server/event_store/store_counters.h"

namespace bouquet::server {

absl::StatusOr<std::unique_ptr<StoreSnapshot>> StoreSnapshot::open(const std::string& folder) {
  std::unique_ptr<StoreSnapshot> snapshot(new StoreSnapshot);
  auto database = StoreDatabase::open_snapshot(folder);
  if (!database.ok()) return database.status();
  snapshot->database_ = *std::move(database);
  if (absl::Status s = snapshot->items_.load(*snapshot->database_); !s.ok()) return s;
  if (absl::Status s = snapshot->types_.load(*snapshot->database_); !s.ok()) return s;
  if (absl::Status s = snapshot->erasures_.load(*snapshot->database_); !s.ok()) return s;
  if (absl::Status s = snapshot->merges_.load(*snapshot->database_); !s.ok()) return s;
  const auto counters = read_counters(*snapshot->database_);
  if (!counters.ok()) return counters.status();
  snapshot->newest_sequence_ = counters->sequence;
  return snapshot;
}

absl::Status StoreSnapshot::read(const std::function<absl::Status(const Row&)>& take) const {
  const EventReader reader(*database_, items_, types_);
  const NameTable::Reading items(items_), types(types_);
  CustomersByNumber customers(*database_);
  absl::Status failed;
  const absl::Status read = reader.scan({}, [&](CustomerNumber customer, std::span<const StoredEvent> events) {
    const auto id = customers.id(customer);
    failed = id.status();
    if (!failed.ok()) return false;
    for (const StoredEvent& event : events) {
      failed = take({.customer_id = *id, .item_id = items.name(event.item), .type = types.name(event.type), .event = &event});
      if (!failed.ok()) return false;
    }
    return true;
  });
  return failed.ok() ? read : failed;
}

absl::Status StoreSnapshot::read_attributes(
    const std::function<absl::Status(std::string_view customer_id, std::string_view name, const v1::AttributeValue& value)>& take) const {
  const std::unique_ptr<rocksdb::Iterator> at(database_->rocks().NewIterator(scan_options(), database_->family(Family::kAttributes)));
  CustomersByNumber customers(*database_);
  CustomerNumber customer = 0;
  std::string id;
  AttributeEntry entry;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const std::string_view key = at->key().ToStringView();
    if (key.size() < kCustomerKeyBytes || !parse_attribute_entry(at->value().ToStringView(), entry))
      return bad_input("the store: an attribute is damaged");
    if (std::exchange(customer, customer_of_key(key)) != customer_of_key(key)) {
      const auto found = customers.id(customer);
      if (!found.ok()) return found.status();
      id = *found;
    }
    if (absl::Status s = take(id, key.substr(kCustomerKeyBytes), entry.value); !s.ok()) return s;
  }
  return of_rocks(at->status());
}

absl::StatusOr<std::vector<std::string>> StoreSnapshot::taken_apart_since(uint64_t since) const {
  MergesAt merges(since);
  const auto add = [&](const MergeRecord& record) {
    merges.add(record);
    return true;
  };
  if (absl::Status s = scan_merges(*database_, add); !s.ok()) return s;
  std::vector<std::string> roots;
  for (const CustomerNumber from : merges.taken_out()) {
    auto id = id_of_customer(*database_, merges.root_of(from));
    if (id.ok())
      roots.push_back(*std::move(id));
    else if (!absl::IsNotFound(id.status()))
      return id.status();
  }
  return roots;
}

}  // namespace bouquet::server
