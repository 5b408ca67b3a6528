// A backup holds customers who were erased after it was taken. This erases them again in the store that was made of it.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// `restored` is as the backup was; `later` is a later state of the same store, and may be a snapshot. Afterwards `restored` knows every
// erasure that `later` knows, with its receipt, and nothing of whom those that came since were of; what was acknowledged to anybody else
// is as it was. Returns how many customers went. What is done when an error comes stays. Errors: DataLoss, ResourceExhausted.
absl::StatusOr<int64_t> erase_again(StoreDatabase& restored, const StoreDatabase& later);

}  // namespace bouquet::server
