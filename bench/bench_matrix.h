// The pairs a training benchmark runs on: a file that a peer's runner wrote, or made up by size.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "engine/interactions.h"

namespace bouquet::bench {

struct MatrixShape {
  int32_t customers = 0;
  int32_t items = 0;
  int64_t pairs = 0;
};

// A shop like those in the literature: activity is log-normal, popularity falls as a power of the rank. The same numbers for the
// same shape and seed. The number of pairs comes out within a few percent. Confidences are 1. Errors: InvalidArgument (shape).
absl::StatusOr<SparseRows> made_up_matrix(const MatrixShape& shape, uint64_t seed);

// Reads int32 rows, int32 columns, int64 pairs, int64 offsets[rows + 1], int32 columns[pairs], little-endian; confidences are 1.
// Errors: NotFound, DataLoss.
absl::StatusOr<SparseRows> read_matrix(const std::string& path);

}  // namespace bouquet::bench
