// How a ranker cuts its work: sizes that follow from its limits and the table alone, so that all memory is there before the first query.
#pragma once

#include <cstdint>

#include "engine/backend.h"

namespace bouquet::cuda {

struct RankPlan {
  int32_t queries_together = 1;   // queries that go through the table together
  int32_t tile_rows = 64;         // rows whose bounds stand in memory at once: a multiple of 64
  int32_t most_lists = 1;         // lists of the best so far, over all queries that go together
  int32_t exclusions_staged = 1;  // excluded rows that are sent to the device at once

  // Into how many slices the rows are split for each of `queries`, so that the device is busy: 1 at least.
  int32_t slices(int64_t queries) const;

  int64_t tile_words() const { return tile_rows / 64; }
};

// For a table of ranked_rows on a device with that many multiprocessors.
RankPlan plan_ranking(const RankerLimits& limits, int64_t ranked_rows, int multiprocessors);

}  // namespace bouquet::cuda
