// The secret that names answers (recommendation_id): the store's own, so that a name is good for as long as the store is.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// Made if there is none. Errors: ResourceExhausted, DataLoss.
absl::StatusOr<std::string> answer_key(StoreDatabase& database);
// Of a snapshot. Errors: also NotFound (no server has named an answer yet).
absl::StatusOr<std::string> read_answer_key(const StoreDatabase& database);

}  // namespace bouquet::server
