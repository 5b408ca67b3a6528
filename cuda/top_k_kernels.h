// The best k of many rows: lists that are kept from tile to tile, and merged at the end. Rows get on a list by the bound of their score,
// and stay by the score.
#pragma once

#include <cstdint>

#include "cuda/rank_key.h"
#include "cuda/score_kernels.h"
#include "cuda/stream.h"

namespace bouquet::cuda {

// Each query's rows are split into `slices`, and each slice keeps the k best keys seen so far, best first. All arrays on the device.
struct BestLists {
  RankKey* keys;    // [queries, slices, k]
  int32_t* counts;  // [queries, slices] keys in each list
  int32_t queries;
  int32_t slices;  // 1 to kMaxSlices
  int32_t k;       // 1 to kMaxK
};

// Takes the tile's rows into the lists, from the bounds that score_tile() has written; `first`: the lists hold nothing yet. Asynchronous.
void take_tile(const Stream& stream, const BestLists& lists, const ScoreTile& tile, bool first);

// Writes each query's best k of all its slices: rows and scores [queries, k] (device), kNone and -infinity where there is no more.
// Asynchronous.
void merge_lists(const Stream& stream, const BestLists& lists, int32_t* rows, float* scores);

}  // namespace bouquet::cuda
