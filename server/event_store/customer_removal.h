// Takes one customer out of the store: events, attributes, and what leads from the id to the number and back.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct RemovedRows {
  int64_t events = 0;
  int64_t attributes = 0;
};

// Adds the deletions to `batch`, key by key. Item ids and event types stay: they are the shop's. Event ids stay until their window is over,
// as hashes: an event that is sent again is known. Errors: DataLoss, ResourceExhausted.
absl::StatusOr<RemovedRows> remove_customer(const StoreDatabase& database, std::string_view customer_id, CustomerNumber number,
                                            rocksdb::WriteBatch& batch);

}  // namespace bouquet::server
