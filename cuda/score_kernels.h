// Bounds of the scores of one tile of the ranked rows, by a scan in float. Only rows whose bound is good enough are scored
// (top_k_kernels.h).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/stream.h"

namespace bouquet::cuda {

// All arrays on the device.
struct ScoreTile {
  const float* ranked;           // [rows, dimension] row-major: the rows of the tile
  const float* asking;           // [., dimension] row-major
  const int32_t* asking_rows;    // [queries] each query's row of `asking`; null: query q is row q
  const uint64_t* filter_words;  // [., filter_pitch] a bitmap over the rows of the tile per filter; may be null
  const int32_t* filter_of;      // [queries] each query's filter, or kNone; read only where there are filter_words
  float* bounds;                 // [queries, pitch] out
  int64_t pitch;                 // at least rows, a multiple of 4
  int64_t filter_pitch;          // words from one filter to the next
  int32_t queries;
  int32_t first_row;  // of the table: where the tile begins
  int32_t rows;
  int32_t dimension;
};

// Where the vector of query q starts.
__host__ __device__ inline const float* asking_vector(const ScoreTile& tile, int32_t q) {
  return tile.asking + static_cast<int64_t>(tile.asking_rows != nullptr ? tile.asking_rows[q] : q) * tile.dimension;
}

// bounds[q, r] = at least the score of engine/score.h, and infinite rather than NaN; kNotEligible (rank_key.h) where the query's filter
// does not let the row through. Asynchronous.
void score_tile(const Stream& stream, const ScoreTile& tile);

struct Exclusion {
  int32_t query;
  int32_t row;  // of the tile
};

// bounds[query * pitch + row] = kNotEligible for each of `count` exclusions (device). Asynchronous.
void mark_excluded(const Stream& stream, const Exclusion* exclusions, int64_t count, float* bounds, int64_t pitch);

}  // namespace bouquet::cuda
