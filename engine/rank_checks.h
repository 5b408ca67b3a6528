// What makes a ranking request acceptable. Every backend's Ranker asks this first, so that all of them refuse the same things.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/backend.h"

namespace bouquet {

// The sizes that a ranker was made for.
struct RankerShape {
  int64_t asking_rows = 0;  // rows of the side that asks
  int64_t ranked_rows = 0;  // rows of the side that is ranked
  int32_t dimension = 0;    // d
  RankerLimits limits;
};

// The number of queries in a batch: of rows or of vectors, whichever is given.
inline int64_t query_count(const QueryBatch& queries) {
  return queries.vectors.rows > 0 ? queries.vectors.rows : static_cast<int64_t>(queries.rows.size());
}

// Whether limits can be served at all. Errors: InvalidArgument (max_batch below 1, max_k outside 1 to kMaxK).
absl::Status validate(const RankerLimits& limits);

// Errors: InvalidArgument, naming the query and the value: rows and vectors at once, a row out of
// range, vectors of another dimension or with a number that is not finite, k or the batch over the limits, exclusions whose
// offsets or order are wrong, filters of the wrong length, and `ranked` of another size than [n, k].
absl::Status validate(const QueryBatch& queries, const RankedRows& ranked, const RankerShape& shape);

}  // namespace bouquet
