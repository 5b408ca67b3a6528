// Scores of one tile of the ranked rows.
#pragma once

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
  float* scores;                 // [queries, pitch] out
  int64_t pitch;                 // at least rows
  int64_t filter_pitch;          // words from one filter to the next
  int32_t queries;
  int32_t rows;
  int32_t dimension;
};

// scores[q, r] = the score of engine/score.h, bit for bit; kNotEligible (rank_key.h) where the query's filter does not let the row
// through. Asynchronous.
void score_tile(const Stream& stream, const ScoreTile& tile);

struct Exclusion {
  int32_t query;
  int32_t row;  // of the tile
};

// scores[query * pitch + row] = kNotEligible for each of `count` exclusions (device). Asynchronous.
void mark_excluded(const Stream& stream, const Exclusion* exclusions, int64_t count, float* scores, int64_t pitch);

}  // namespace bouquet::cuda
