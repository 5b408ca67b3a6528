// The ranker where small tables are cut into many tiles, slices, groups of queries and pieces of exclusions, held against the oracle.
#include <gtest/gtest.h>

#include <numeric>

#include "cuda/cuda_ranker.h"
#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"

namespace bouquet::cuda {
namespace {

using conformance::expect_as_oracle;
using conformance::Hardness;
using conformance::MixedRestrictions;
using conformance::ranking_data;
using conformance::ranking_model;
using conformance::RankingData;

#if defined(EMULATION_ASAN) || defined(EMULATION_TSAN)
constexpr bool kSmall = true;  // a barrier costs ten times as much
#else
constexpr bool kSmall = false;
#endif
constexpr int32_t kQueries = kSmall ? 18 : 21;  // more than one block of queries scores together

class RankerTiles : public testing::TestWithParam<std::pair<Hardness, std::string>> {
 protected:
  // All of `lengths`, the longest last, on `rows` rows with the plan, with and without restrictions.
  void check(int32_t rows, const RankPlan& plan, const std::vector<int32_t>& lengths, int32_t count = kQueries) {
    const RankingData data = ranking_data(GetParam().first, count, rows, 19);
    std::vector<int32_t> asked(static_cast<size_t>(count));
    std::iota(asked.begin(), asked.end(), 0);
    const DeviceModel tables(ranking_model(data), device_);
    auto ranker = make_cuda_ranker(nullptr, tables, Side::kItems, {.max_batch = count, .max_k = lengths.back()}, plan);
    ASSERT_TRUE(ranker.ok()) << message_of(ranker.status());
    const MixedRestrictions restrictions(count, rows, 3);
    for (const int32_t k : lengths) {
      SCOPED_TRACE(testing::Message() << rows << " rows in tiles of " << plan.tile_rows << ", k = " << k);
      QueryBatch queries{.rows = asked, .k = k};
      expect_as_oracle(**ranker, data.asking_matrix(), data.ranked_matrix(), queries);
      restrictions.apply(queries);
      expect_as_oracle(**ranker, data.asking_matrix(), data.ranked_matrix(), queries);
      queries = {.vectors = data.asking_matrix(), .k = k};
      expect_as_oracle(**ranker, data.asking_matrix(), data.ranked_matrix(), queries);
    }
  }

  const std::shared_ptr<const Device> device_ = std::make_shared<const Device>(0);
};

TEST_P(RankerTiles, OneWordPerTile) {
  const RankPlan plan{.queries_together = kQueries, .tile_rows = 64, .most_lists = kQueries, .exclusions_staged = 1000};
  if (kSmall) return check(130, plan, {10});
  for (const int32_t rows : {63, 64, 65, 200}) check(rows, plan, {1, 10, 64, 200});
}

TEST_P(RankerTiles, QueriesInGroupsAndExclusionsInPieces) {
  const RankPlan plan{.queries_together = 4, .tile_rows = 128, .most_lists = 4, .exclusions_staged = 7};
  check(kSmall ? 140 : 300, plan, {3});
  if (!kSmall) check(300, plan, {100});
}

TEST_P(RankerTiles, ManySlicesPerTile) {
  const RankPlan plan{.queries_together = 5, .tile_rows = 3072, .most_lists = 15, .exclusions_staged = 1000};
  ASSERT_EQ(plan.slices(5), 3);
  if (kSmall) return check(3200, plan, {5});
  check(4100, plan, {1, 17, kMaxK});
}

// More queries than one block scores together.
TEST_P(RankerTiles, ManyQueriesTogether) {
  const RankPlan plan{.queries_together = 70, .tile_rows = 64, .most_lists = 70, .exclusions_staged = 100};
  check(65, plan, {2}, 70);
}

// Ascending scores fill the room of a list to the last place: every row beats those before it.
TEST_P(RankerTiles, AListThatFillsItsRoom) {
  const RankPlan plan{.queries_together = 3, .tile_rows = 2176, .most_lists = 3, .exclusions_staged = 1000};
  ASSERT_EQ(plan.slices(3), 1);
  check(2100, plan, kSmall ? std::vector<int32_t>{5} : std::vector<int32_t>{1, 5, kMaxK}, 3);
}

std::string test_name(const testing::TestParamInfo<RankerTiles::ParamType>& info) { return info.param.second; }
INSTANTIATE_TEST_SUITE_P(Data, RankerTiles,
                         testing::Values(std::pair(Hardness::kAscending, "Ascending"), std::pair(Hardness::kAllEqual, "AllEqual"),
                                         std::pair(Hardness::kDuplicates, "Duplicates"), std::pair(Hardness::kDenormal, "Denormal"),
                                         std::pair(Hardness::kGaussian, "Gaussian")),
                         test_name);

}  // namespace
}  // namespace bouquet::cuda
