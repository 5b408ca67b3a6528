#include "cuda/rank_plan.h"

#include <gtest/gtest.h>

namespace bouquet::cuda {
namespace {

constexpr int kMultiprocessors = 132;

TEST(RankPlanTest, ATileStaysSmallWhateverTheTableAndTheBatch) {
  for (const int32_t batch : {1, 2, 7, 64, 128, 129, 100000})
    for (const int64_t rows : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{64}, int64_t{65}, int64_t{1000000}, int64_t{2147483647}}) {
      const RankPlan plan = plan_ranking({.max_batch = batch}, rows, kMultiprocessors);
      SCOPED_TRACE(testing::Message() << "batch " << batch << ", rows " << rows);
      EXPECT_GE(plan.queries_together, 1);
      EXPECT_LE(plan.queries_together, batch);
      EXPECT_GE(plan.tile_rows, 64);
      EXPECT_EQ(plan.tile_rows % 64, 0);
      EXPECT_LE(int64_t{plan.queries_together} * plan.tile_rows * 4, 16 << 20);
      EXPECT_LT(plan.tile_rows, rows + 128) << "larger than the table";
    }
}

TEST(RankPlanTest, HasAListForEverySliceOfEveryQuery) {
  for (const int32_t batch : {1, 5, 64, 128}) {
    const RankPlan plan = plan_ranking({.max_batch = batch}, 10'000'000, kMultiprocessors);
    for (int64_t queries = 1; queries <= plan.queries_together; ++queries) {
      EXPECT_GE(plan.slices(queries), 1);
      EXPECT_LE(plan.slices(queries) * queries, plan.most_lists);
      EXPECT_LE(plan.slices(queries), plan.tile_rows);
    }
  }
}

TEST(RankPlanTest, KeepsTheDeviceBusyWithFewQueries) {
  const RankPlan plan = plan_ranking({.max_batch = 1}, 10'000'000, kMultiprocessors);
  EXPECT_GE(plan.slices(1), 64);
}

}  // namespace
}  // namespace bouquet::cuda
