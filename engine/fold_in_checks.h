// What makes a fold-in request acceptable. Every backend's Profiler asks this first, so that all of them refuse the same things.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/backend.h"

namespace bouquet {

// The sizes that a profiler was made for.
struct ProfilerShape {
  int64_t item_count = 0;
  int32_t dimension = 0;  // d
  ProfilerLimits limits;
  int32_t attribute_columns = 0;  // that the prior of the solved side takes; 0: there is no prior
  int32_t dense_columns = 0;      // of these
};

// Whether limits can be served at all. Errors: InvalidArgument (max_batch below 1).
absl::Status validate(const ProfilerLimits& limits);

// Errors: InvalidArgument, naming the history and the value: offsets that do not ascend from 0, arrays of the wrong length, a batch over
// the limit, an item out of range or out of order, a confidence that is not positive and finite, a target that is not finite,
// attributes that are absent, not asked for, or that validate(AttributeRows) refuses.
absl::Status validate(const HistoryBatch& histories, const ProfileBatch& solved, const ProfilerShape& shape);

}  // namespace bouquet
