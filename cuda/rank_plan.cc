#include "cuda/rank_plan.h"

#include <algorithm>

namespace bouquet::cuda {
namespace {

constexpr int64_t kMostTogether = 128;
constexpr int64_t kTileScores = int64_t{4} << 20;  // bounded at once: 16 MiB, which stay in the second-level cache of a large GPU
constexpr int64_t kMostTileRows = 65536;
constexpr int64_t kRowsPerSlice = 1024;  // fewer do not pay a list of their own
constexpr int64_t kListsPerMultiprocessor = 2;
constexpr int32_t kExclusionsStaged = 65536;

int64_t whole_words(int64_t rows) { return (rows + 63) / 64 * 64; }

}  // namespace

int32_t RankPlan::slices(int64_t queries) const {
  const int64_t wanted = most_lists / std::max<int64_t>(queries, 1);
  return static_cast<int32_t>(std::clamp<int64_t>(wanted, 1, std::max<int64_t>(tile_rows / kRowsPerSlice, 1)));
}

RankPlan plan_ranking(const RankerLimits& limits, int64_t ranked_rows, int multiprocessors) {
  RankPlan plan;
  plan.queries_together = static_cast<int32_t>(std::min<int64_t>(limits.max_batch, kMostTogether));
  const int64_t rows = std::min(kTileScores / plan.queries_together / 64 * 64, kMostTileRows);
  plan.tile_rows = static_cast<int32_t>(std::min(rows, std::max<int64_t>(whole_words(ranked_rows), 64)));
  plan.most_lists = static_cast<int32_t>(std::max<int64_t>(plan.queries_together, kListsPerMultiprocessor * multiprocessors));
  plan.exclusions_staged = kExclusionsStaged;
  return plan;
}

}  // namespace bouquet::cuda
