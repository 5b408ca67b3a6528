// The formulas of bench/call_work.h against sums that a reader can do by hand.
#include "bench/call_work.h"

#include <gtest/gtest.h>

namespace bouquet::bench {
namespace {

TEST(CallWork, OfRankingIsEveryScoreAndEveryRowOnce) {
  // 3 queries of 10 rows of 4 numbers: 30 scores of 4 products and 4 sums.
  const CallWork plain = work_of(RankCall{.queries = 3, .rows = 10, .dimension = 4, .k = 2});
  EXPECT_EQ(plain.flops, 30 * 8);
  EXPECT_EQ(plain.bytes, 10 * 16 + 3 * 16 + 3 * 2 * (4 + 4));
  const CallWork restricted = work_of(RankCall{.queries = 3, .rows = 64, .dimension = 4, .k = 2, .exclusions = 5, .filters = 1});
  EXPECT_EQ(restricted.bytes, 64 * 16 + 3 * 16 + 48 + 3 * 5 * 4 + 64 / 8);
}

TEST(CallWork, OfASolveIsItsPairsAndItsFactorization) {
  // One row of 5 pairs, d = 3: a triangle of 9 flops a pair, 27 / 3 for the factors, 2 * 9 for the two triangular solves.
  const CallWork one = work_of(SolveCall{.rows = 1, .pairs = 5, .dimension = 3});
  EXPECT_EQ(one.flops, 5 * 9 + 9 + 18);
  EXPECT_EQ(one.bytes, 5 * (12 + 4 + 4) + 36 + 12);
  EXPECT_EQ(work_of(SolveCall{.rows = 2, .pairs = 5, .dimension = 3, .cholesky = true}).bytes, 5 * 20 + 36 + 2 * (12 + 36));
}

TEST(CallWork, OfAnEpochIsBothHalfStepsAndBothGramMatrices) {
  const CallWork epoch = work_of(EpochCall{.customers = 7, .items = 4, .pairs = 20, .dimension = 3});
  EXPECT_EQ(epoch.flops, 2 * 20 * 9 + 11 * (9 + 18) + 11 * 9);
  EXPECT_EQ(epoch.bytes, 2 * 20 * 20 + 2 * 36 + 11 * 12 + 11 * 12);
}

TEST(CallWork, OfAnAttributeStepIsEveryNumberThatIsSetAndTwoTriangles) {
  // 10 rows of 2 dense and 3 of 7 sparse columns and the intercept, d = 4: 60 numbers; 10 x 10 numbers of both triangles.
  const CallWork step = work_of(AttributeStepCall{.rows = 10, .dense = 2, .sparse = 7, .set = 3, .dimension = 4});
  EXPECT_EQ(step.flops, 60 * 8 + 100 * 8);
  EXPECT_EQ(step.bytes, 10 * (8 + 24 + 16) + 100 * 8);
}

TEST(CallWork, TakesAtLeastWhatTheLowerCeilingAllows) {
  const Roofline roofline{.bytes_per_second = 10, .flops_per_second = 100};
  EXPECT_EQ(least_seconds({.bytes = 20, .flops = 100}, roofline), 2);  // 5 flops a byte: memory
  EXPECT_EQ(least_seconds({.bytes = 20, .flops = 400}, roofline), 4);  // 20 flops a byte: arithmetic
  EXPECT_EQ(least_seconds({.bytes = 20, .flops = 200}, roofline), 2);  // the ridge
}

}  // namespace
}  // namespace bouquet::bench
