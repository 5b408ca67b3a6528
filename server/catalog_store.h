// What calls have said of items, on disk: an embedded RocksDB. A change is synced before it is acknowledged, and is there whole or not at
// all after the process was killed at any moment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "bouquet/store/v1/catalog_entry.pb.h"

namespace rocksdb {
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace bouquet::server {

using CatalogEntry = store::v1::CatalogEntry;

// How many request ids are remembered: a call with one of them changes nothing.
inline constexpr int64_t kRememberedRequests = 100000;

// Reading is thread-safe; one thread at a time writes.
class CatalogStore {
 public:
  // Makes the folder if there is none; one process at a time has it open. Errors: ResourceExhausted (cannot be made or locked), DataLoss
  // (damaged, or the store of another version of the program).
  static absl::StatusOr<std::unique_ptr<CatalogStore>> open(const std::string& folder, int64_t remembered_requests = kRememberedRequests);
  ~CatalogStore();

  // Errors of all of these: DataLoss (damaged), Internal.
  absl::StatusOr<std::optional<CatalogEntry>> find(const std::string& item_id) const;
  // In the order of the ids' bytes, those after `id` (empty: all), until `take` says false.
  absl::Status after(const std::string& id, const std::function<bool(const CatalogEntry&)>& take) const;
  absl::StatusOr<bool> knows(const std::string& request_id) const;
  // Also ResourceExhausted: there is no room; nothing has changed.
  absl::Status write(const std::string& request_id, std::span<const CatalogEntry> entries);

 private:
  explicit CatalogStore(int64_t remembered);
  absl::Status remember(const std::string& request_id, rocksdb::WriteBatch& batch) const;

  const int64_t remembered_;
  std::unique_ptr<rocksdb::DB> db_;
  bool failed_ = false;       // the last write did
  int64_t next_request_ = 0;  // numbered, so that the oldest can be forgotten
};

}  // namespace bouquet::server
