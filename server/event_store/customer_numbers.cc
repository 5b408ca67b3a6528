#include "server/event_store/customer_numbers.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <vector>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

std::string id_key(std::string_view id) { return "i" + std::string(id); }
std::string number_key(CustomerNumber number) {
  std::string key = "n";
  append_fixed64(number, key);
  return key;
}

}  // namespace

absl::Status find_customers(const StoreDatabase& database, std::span<const std::string_view> ids, std::span<CustomerNumber> numbers) {
  std::vector<std::string> keys;
  keys.reserve(ids.size());
  for (const std::string_view id : ids) keys.push_back(id_key(id));
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> found(keys.size());
  database.rocks().MultiGet({}, database.family(Family::kCustomers), keys.size(), slices.data(), values.data(), found.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    numbers[i] = 0;
    if (found[i].IsNotFound()) continue;
    if (!found[i].ok()) return of_rocks(found[i]);
    std::string_view value = values[i].ToStringView();
    if (!take_varint(value, numbers[i]) || !value.empty()) return bad_input("the store: a customer's number is damaged");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> id_of_customer(const StoreDatabase& database, CustomerNumber number) {
  std::string id;
  const rocksdb::Status found = database.rocks().Get({}, database.family(Family::kCustomers), number_key(number), &id);
  if (found.IsNotFound()) return missing_input("the store has no customer of number " + std::to_string(number));
  if (!found.ok()) return of_rocks(found);
  return id;
}

CustomersByNumber::CustomersByNumber(const StoreDatabase& database) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  at_.reset(database.rocks().NewIterator(options, database.family(Family::kCustomers)));
  at_->Seek("n");
}
CustomersByNumber::~CustomersByNumber() = default;

absl::StatusOr<std::string_view> CustomersByNumber::id(CustomerNumber number) {
  const std::string key = number_key(number);
  constexpr int kSteps = 8;  // before it pays to jump
  for (int step = 0; step < kSteps && at_->Valid() && at_->key().ToStringView() < key; ++step) at_->Next();
  if (at_->Valid() && at_->key().ToStringView() < key) at_->Seek(key);
  if (absl::Status s = of_rocks(at_->status()); !s.ok()) return s;
  if (!at_->Valid() || at_->key().ToStringView() != key)
    return missing_input("the store has no customer of number " + std::to_string(number));
  return at_->value().ToStringView();
}

void put_new_customer(const StoreDatabase& database, std::string_view id, CustomerNumber number, rocksdb::WriteBatch& batch) {
  std::string value;
  append_varint(number, value);
  rocksdb::ColumnFamilyHandle* family = database.family(Family::kCustomers);
  batch.Put(family, id_key(id), value);
  batch.Put(family, number_key(number), rocksdb::Slice(id.data(), id.size()));
}

void delete_customer(const StoreDatabase& database, std::string_view id, CustomerNumber number, rocksdb::WriteBatch& batch) {
  rocksdb::ColumnFamilyHandle* family = database.family(Family::kCustomers);
  batch.Delete(family, id_key(id));
  batch.Delete(family, number_key(number));
}

}  // namespace bouquet::server
