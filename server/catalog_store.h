// What calls have said of items, in the store's database. A change is synced before it is acknowledged, and is there whole or not at all
// after the process was killed at any moment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "bouquet/store/v1/catalog_entry.pb.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

using CatalogEntry = store::v1::CatalogEntry;

// How many request ids are remembered: a call with one of them changes nothing.
inline constexpr int64_t kRememberedRequests = 100000;

// Reading is thread-safe; one thread at a time writes.
class CatalogStore {
 public:
  // `database` outlives the store. Errors: DataLoss (damaged), ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<CatalogStore>> open(StoreDatabase& database, int64_t remembered_requests = kRememberedRequests);

  // Errors of all of these: DataLoss (damaged), Internal.
  absl::StatusOr<std::optional<CatalogEntry>> find(const std::string& item_id) const;
  // In the order of the ids' bytes, those after `id` (empty: all), until `take` says false.
  absl::Status after(const std::string& id, const std::function<bool(const CatalogEntry&)>& take) const;
  absl::StatusOr<bool> knows(const std::string& request_id) const;
  // Also ResourceExhausted: there is no room; nothing has changed.
  absl::Status write(const std::string& request_id, std::span<const CatalogEntry> entries);

 private:
  CatalogStore(StoreDatabase& database, int64_t remembered) : database_(database), remembered_(remembered) {}
  absl::Status remember(const std::string& request_id, rocksdb::WriteBatch& batch) const;

  StoreDatabase& database_;
  const int64_t remembered_;
  int64_t next_request_ = 0;  // numbered, so that the oldest can be forgotten
};

}  // namespace bouquet::server
