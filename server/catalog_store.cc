#include "server/catalog_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

// Keys: "i" + item id; "r" + request id -> its number; "n" + number, big-endian -> request id. "format" is the database's.
std::string item_key(const std::string& id) { return "i" + id; }
std::string request_key(const std::string& id) { return "r" + id; }
std::string number_key(int64_t number) {
  std::string key = "n";
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(static_cast<uint64_t>(number) >> shift & 0xff);
  return key;
}
int64_t number_of(const rocksdb::Slice& key) {
  uint64_t number = 0;
  for (size_t i = 1; i < key.size(); ++i) number = number << 8 | static_cast<unsigned char>(key[i]);
  return static_cast<int64_t>(number);
}

absl::StatusOr<CatalogEntry> entry_of(const rocksdb::Slice& key, const rocksdb::Slice& value) {
  CatalogEntry entry;
  if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size())) || item_key(entry.item().item_id()) != key.ToStringView())
    return bad_input("the store: an item's entry is damaged");
  return entry;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CatalogStore>> CatalogStore::open(StoreDatabase& database, int64_t remembered_requests) {
  std::unique_ptr<CatalogStore> store(new CatalogStore(database, remembered_requests));
  const std::unique_ptr<rocksdb::Iterator> last(database.rocks().NewIterator({}));
  last->SeekForPrev(number_key(INT64_MAX));
  if (last->Valid() && last->key().starts_with("n")) store->next_request_ = number_of(last->key()) + 1;
  if (absl::Status s = of_rocks(last->status()); !s.ok()) return s;
  return store;
}

absl::StatusOr<std::optional<CatalogEntry>> CatalogStore::find(const std::string& item_id) const {
  std::string value;
  const rocksdb::Status found = database_.rocks().Get({}, item_key(item_id), &value);
  if (found.IsNotFound()) return std::nullopt;
  if (!found.ok()) return of_rocks(found);
  auto entry = entry_of(item_key(item_id), value);
  if (!entry.ok()) return entry.status();
  return *std::move(entry);
}

absl::Status CatalogStore::after(const std::string& id, const std::function<bool(const CatalogEntry&)>& take) const {
  const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator({}));
  for (at->Seek(id.empty() ? std::string("i") : item_key(id) + '\0'); at->Valid() && at->key().starts_with("i"); at->Next()) {
    const auto entry = entry_of(at->key(), at->value());
    if (!entry.ok()) return entry.status();
    if (!take(*entry)) break;
  }
  return of_rocks(at->status());
}

absl::StatusOr<bool> CatalogStore::knows(const std::string& request_id) const {
  std::string value;
  const rocksdb::Status found = database_.rocks().Get({}, request_key(request_id), &value);
  if (found.IsNotFound()) return false;
  if (!found.ok()) return of_rocks(found);
  return true;
}

absl::Status CatalogStore::remember(const std::string& request_id, rocksdb::WriteBatch& batch) const {
  batch.Put(request_key(request_id), number_key(next_request_));
  batch.Put(number_key(next_request_), request_id);
  const int64_t oldest = next_request_ - remembered_;
  std::string forgotten;
  const rocksdb::Status found = oldest < 0 ? rocksdb::Status::NotFound() : database_.rocks().Get({}, number_key(oldest), &forgotten);
  if (found.IsNotFound()) return absl::OkStatus();
  if (!found.ok()) return of_rocks(found);
  batch.Delete(request_key(forgotten));
  batch.Delete(number_key(oldest));
  return absl::OkStatus();
}

absl::Status CatalogStore::write(const std::string& request_id, std::span<const CatalogEntry> entries) {
  rocksdb::WriteBatch batch;
  for (const CatalogEntry& entry : entries) batch.Put(item_key(entry.item().item_id()), entry.SerializeAsString());
  if (absl::Status s = remember(request_id, batch); !s.ok()) return s;
  if (absl::Status s = database_.write(batch); !s.ok()) return s;
  ++next_request_;
  return absl::OkStatus();
}

}  // namespace bouquet::server
