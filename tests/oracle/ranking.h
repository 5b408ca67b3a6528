// What a ranker must answer, by the definition and nothing else: every score in double, everything sorted. Shares no code with the
// backends.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend.h"
#include "engine/views.h"

namespace bouquet::oracle {

struct Ranking {
  std::vector<int32_t> rows;  // [n, k] row-major, padded with kNone
  std::vector<float> scores;  // [n, k] row-major, padded with -infinity
};

// The answer to `queries`: `asking` [., d] are the rows that QueryBatch::rows names, `ranked` [., d] the rows that are ranked.
Ranking rank(MatrixView<const float> asking, MatrixView<const float> ranked, const QueryBatch& queries);

}  // namespace bouquet::oracle
