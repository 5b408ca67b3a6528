// Names of versions: UTC time and a short content hash, `20261124T151203Z-1f3a5c7e`. Text order is time order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bouquet {

bool is_version_name(std::string_view name);

// The name for a model that is published at `now` (microseconds since 1970) when `newest` is the newest existing name (or empty):
// the clock's second, or the second after the newest's where the clock stands at or before it. `content_hash` has 8 digits or more.
// Errors: FailedPrecondition (past the year 9999).
absl::StatusOr<std::string> next_version_name(int64_t now, std::string_view newest, std::string_view content_hash);

}  // namespace bouquet
