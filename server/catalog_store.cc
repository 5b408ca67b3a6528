#include "server/catalog_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

// Keys: "format"; "i" + item id; "r" + request id -> its number; "n" + number, big-endian -> request id.
constexpr char kFormatKey[] = "format";
constexpr char kFormat[] = "1";

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

absl::Status of_rocks(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = "the store: " + status.ToString();
  if (status.IsCorruption()) return bad_input(message);
  if (status.IsNoSpace() || status.IsIOError() || status.IsBusy()) return no_resource(message);
  return absl::InternalError(message);
}

absl::StatusOr<CatalogEntry> entry_of(const rocksdb::Slice& key, const rocksdb::Slice& value) {
  CatalogEntry entry;
  if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size())) || item_key(entry.item().item_id()) != key.ToStringView())
    return bad_input("the store: an item's entry is damaged");
  return entry;
}

}  // namespace

CatalogStore::CatalogStore(int64_t remembered) : remembered_(remembered) {}
CatalogStore::~CatalogStore() = default;

absl::StatusOr<std::unique_ptr<CatalogStore>> CatalogStore::open(const std::string& folder, int64_t remembered_requests) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = false;
  options.keep_log_file_num = 4;
  options.write_buffer_size = size_t{16} << 20;
  rocksdb::DB* db = nullptr;
  if (const rocksdb::Status opened = rocksdb::DB::Open(options, folder, &db); !opened.ok()) {
    const absl::Status status = of_rocks(opened);
    return absl::Status(status.code(), "--store " + folder + ": " + std::string(message_of(status)));
  }
  std::unique_ptr<CatalogStore> store(new CatalogStore(remembered_requests));
  store->db_.reset(db);
  std::string format;
  const rocksdb::Status found = db->Get({}, kFormatKey, &format);
  if (found.IsNotFound()) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    if (absl::Status s = of_rocks(db->Put(synced, kFormatKey, kFormat)); !s.ok()) return s;
  } else if (!found.ok()) {
    return of_rocks(found);
  } else if (format != kFormat) {
    return bad_input("--store " + folder + ": is of format " + format + "; this program reads format " + kFormat);
  }
  const std::unique_ptr<rocksdb::Iterator> last(db->NewIterator({}));
  last->SeekForPrev(number_key(INT64_MAX));
  if (last->Valid() && last->key().starts_with("n")) store->next_request_ = number_of(last->key()) + 1;
  if (absl::Status s = of_rocks(last->status()); !s.ok()) return s;
  return store;
}

absl::StatusOr<std::optional<CatalogEntry>> CatalogStore::find(const std::string& item_id) const {
  std::string value;
  const rocksdb::Status found = db_->Get({}, item_key(item_id), &value);
  if (found.IsNotFound()) return std::nullopt;
  if (!found.ok()) return of_rocks(found);
  auto entry = entry_of(item_key(item_id), value);
  if (!entry.ok()) return entry.status();
  return *std::move(entry);
}

absl::Status CatalogStore::after(const std::string& id, const std::function<bool(const CatalogEntry&)>& take) const {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
  for (at->Seek(id.empty() ? std::string("i") : item_key(id) + '\0'); at->Valid() && at->key().starts_with("i"); at->Next()) {
    const auto entry = entry_of(at->key(), at->value());
    if (!entry.ok()) return entry.status();
    if (!take(*entry)) break;
  }
  return of_rocks(at->status());
}

absl::StatusOr<bool> CatalogStore::knows(const std::string& request_id) const {
  std::string value;
  const rocksdb::Status found = db_->Get({}, request_key(request_id), &value);
  if (found.IsNotFound()) return false;
  if (!found.ok()) return of_rocks(found);
  return true;
}

absl::Status CatalogStore::remember(const std::string& request_id, rocksdb::WriteBatch& batch) const {
  batch.Put(request_key(request_id), number_key(next_request_));
  batch.Put(number_key(next_request_), request_id);
  const int64_t oldest = next_request_ - remembered_;
  std::string forgotten;
  const rocksdb::Status found = oldest < 0 ? rocksdb::Status::NotFound() : db_->Get({}, number_key(oldest), &forgotten);
  if (found.IsNotFound()) return absl::OkStatus();
  if (!found.ok()) return of_rocks(found);
  batch.Delete(request_key(forgotten));
  batch.Delete(number_key(oldest));
  return absl::OkStatus();
}

absl::Status CatalogStore::write(const std::string& request_id, std::span<const CatalogEntry> entries) {
  // After a failed write RocksDB takes no other until it is told to go on.
  if (failed_ && !db_->Resume().ok()) return no_resource("the store: the last write failed, and the store cannot go on yet");
  rocksdb::WriteBatch batch;
  for (const CatalogEntry& entry : entries) batch.Put(item_key(entry.item().item_id()), entry.SerializeAsString());
  if (absl::Status s = remember(request_id, batch); !s.ok()) return s;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const absl::Status written = of_rocks(db_->Write(synced, &batch));
  failed_ = !written.ok();
  if (failed_) return written;
  ++next_request_;
  return absl::OkStatus();
}

}  // namespace bouquet::server
