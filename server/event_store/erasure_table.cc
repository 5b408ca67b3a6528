#include "server/event_store/erasure_table.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

constexpr char kSaltKey[] = "salt";
constexpr char kTombstone = 't', kReceipt = 'r';
constexpr size_t kIdentityInReceipt = 8;

std::string receipt_key(uint64_t sequence) {
  std::string key(1, kReceipt);
  append_fixed64(sequence, key);
  return key;
}

absl::Status damaged() { return bad_input("the store: what it remembers of an erasure is damaged"); }

}  // namespace

absl::Status ErasureTable::load(const StoreDatabase& database) {
  rocksdb::ColumnFamilyHandle* family = database.family(Family::kErasures);
  if (family == nullptr) return absl::OkStatus();
  std::string salt;
  const rocksdb::Status found = database.rocks().Get({}, family, kSaltKey, &salt);
  if (found.IsNotFound()) return absl::OkStatus();
  if (!found.ok()) return of_rocks(found);
  set_salt(std::move(salt));
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator({}, family));
  const std::string prefix(1, kTombstone);
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    const std::string_view key = at->key().ToStringView();
    const std::string_view value = at->value().ToStringView();
    Hash hash;
    if (key.size() != 1 + hash.size() || value.size() != 16) return damaged();
    std::memcpy(hash.data(), key.data() + 1, hash.size());
    erasures_[hash] = {.sequence = fixed64_at(value.data()), .time = static_cast<int64_t>(fixed64_at(value.data() + 8))};
  }
  count_.store(static_cast<int64_t>(erasures_.size()), std::memory_order_release);
  return of_rocks(at->status());
}

void ErasureTable::set_salt(std::string salt) {
  const std::unique_lock lock(mutex_);
  salt_ = std::move(salt);
  hmac_.emplace(salt_);
}

std::optional<Erasure> ErasureTable::find(std::string_view customer_id) const {
  if (empty()) return std::nullopt;
  const std::shared_lock lock(mutex_);
  const auto at = erasures_.find(hash(customer_id));
  return at == erasures_.end() ? std::nullopt : std::optional(at->second);
}

bool ErasureTable::is_of(const ErasureReceipt& receipt, std::string_view customer_id) const {
  const std::shared_lock lock(mutex_);
  const Hash digest = hash(customer_id);
  const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return receipt.id_hash() == bytes ||
         std::ranges::any_of(receipt.others(), [&](const ErasureReceipt::Other& other) { return other.id_hash() == bytes; });
}

std::string ErasureTable::hash_of(std::string_view customer_id) const {
  const std::shared_lock lock(mutex_);
  if (!hmac_) return {};
  const Hash digest = hash(customer_id);
  return {digest.begin(), digest.end()};
}

std::string ErasureTable::put_hash(const StoreDatabase& database, std::string_view customer_id, rocksdb::WriteBatch& batch) {
  if (salt_.empty()) set_salt(random_text() + random_text());      // nobody else writes it
  batch.Put(database.family(Family::kErasures), kSaltKey, salt_);  // each time: the first time may have failed
  return hash_of(customer_id);
}

std::string ErasureTable::put(const StoreDatabase& database, std::string_view customer_id, const Erasure& erasure,
                              rocksdb::WriteBatch& batch) {
  std::string bytes = put_hash(database, customer_id, batch);
  std::string value;
  append_fixed64(erasure.sequence, value);
  append_fixed64(static_cast<uint64_t>(erasure.time), value);
  batch.Put(database.family(Family::kErasures), kTombstone + bytes, value);
  return bytes;
}

void ErasureTable::add(std::string_view customer_id, const Erasure& erasure) {
  const std::unique_lock lock(mutex_);
  erasures_[hash(customer_id)] = erasure;
  count_.store(static_cast<int64_t>(erasures_.size()), std::memory_order_release);
}

std::string receipt_id(const StoreDatabase& database, uint64_t sequence) {
  return database.identity().substr(0, kIdentityInReceipt) + "-" + std::to_string(sequence);
}

absl::StatusOr<ErasureReceipt> read_receipt(const StoreDatabase& database, uint64_t sequence) {
  if (database.family(Family::kErasures) == nullptr) return missing_input("the store: has no such erasure");
  std::string value;
  const rocksdb::Status found = database.rocks().Get({}, database.family(Family::kErasures), receipt_key(sequence), &value);
  if (found.IsNotFound()) return missing_input("the store: has no such erasure");
  if (!found.ok()) return of_rocks(found);
  ErasureReceipt receipt;
  if (!receipt.ParseFromString(value)) return damaged();
  return receipt;
}

absl::StatusOr<std::map<uint64_t, ErasureReceipt>> read_receipts(const StoreDatabase& database) {
  std::map<uint64_t, ErasureReceipt> receipts;
  if (database.family(Family::kErasures) == nullptr) return receipts;
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator({}, database.family(Family::kErasures)));
  const std::string prefix(1, kReceipt);
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    const std::string_view value = at->value().ToStringView();
    if (at->key().size() != 9 || !receipts[fixed64_at(at->key().data() + 1)].ParseFromArray(value.data(), static_cast<int>(value.size())))
      return damaged();
  }
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  return receipts;
}

void put_receipt(const StoreDatabase& database, uint64_t sequence, const ErasureReceipt& receipt, rocksdb::WriteBatch& batch) {
  batch.Put(database.family(Family::kErasures), receipt_key(sequence), receipt.SerializeAsString());
}

}  // namespace bouquet::server
