// What a synced write costs in a folder: the floor below everything that is durable when it is acknowledged.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bench/call_times.h"

namespace bouquet::bench {

// Of fdatasync after small appends to a file of its own. Errors: ResourceExhausted (it cannot be written).
absl::StatusOr<Spread> measure_syncs(const std::string& folder);

}  // namespace bouquet::bench
