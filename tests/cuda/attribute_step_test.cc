// The sums of the attribute step against the sums as they are written, and its two ways of solving against each other.
#include "cuda/attribute_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/solve_rules.h"
#include "cuda/weighted_attributes.h"
#include "engine/errors.h"
#include "tests/cuda/attribute_side.h"
#include "tests/relative_gap.h"

namespace bouquet::cuda {
namespace {

// [positions][rows], of those positions that occur.
std::vector<std::vector<std::pair<int64_t, double>>> by_position(const Side& side) {
  std::vector<std::vector<std::pair<int64_t, double>>> entries(static_cast<size_t>(side.table.column_count) + 1);
  for (size_t p = 0; p < entries.size(); ++p)
    for (int64_t r = 0; r < side.shape.rows; ++r)
      if (const double x = side.at(r, static_cast<int64_t>(p)); x != 0) entries[p].emplace_back(r, x);
  return entries;
}

class AttributeSums : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(Shapes, AttributeSums,
                         testing::Values(Shape{1, 1, 1, 1},          //
                                         Shape{40, 0, 3, 7},         // no dense columns but the intercept
                                         Shape{40, 4, 0, 130},       // no sparse ones; more columns than a block takes
                                         Shape{20000, 3, 12, 19},    // columns in several segments
                                         Shape{8000, 300, 4, 33},    // rows in several chunks
                                         Shape{30, 1500, 3, 1024}),  // a product that is not cut into partitions
                         [](const auto& tested) { return "Shape" + std::to_string(tested.index); });

TEST_P(AttributeSums, AreTheProductsAndTheGramMatrix) {
  const Side side(GetParam());
  const int32_t d = side.shape.d;
  const BlasHandle blas(side.stream);
  WeightedAttributes weighted(side.view(), d, true, side.stream);
  const int64_t n = weighted.size(), length = d + 3;
  DeviceArray<double> product(n * length, side.stream), gram(n * n, side.stream);
  constexpr double kUntouched = -77;  // what stands past the columns stays
  std::vector<double> products(static_cast<size_t>(n * length), kUntouched), grams(static_cast<size_t>(n * n));
  product.upload(products);
  weighted.products({side.device_vectors.data(), row_stride(d), d}, product.data(), length, blas, side.stream);
  weighted.gram(gram.data(), blas, side.stream);
  product.download(products);
  gram.download(grams);
  side.stream.synchronize();

  const auto entries = by_position(side);
  std::vector<double> sums(static_cast<size_t>(d));
  for (int64_t p = 0; p < n; ++p) {
    std::ranges::fill(sums, 0.0);
    for (const auto& [r, x] : entries[static_cast<size_t>(p)])
      for (int32_t j = 0; j < d; ++j)
        sums[static_cast<size_t>(j)] +=
            side.weights[static_cast<size_t>(r)] * x * double{side.vectors[static_cast<size_t>(r * row_stride(d) + j)]};
    for (int32_t j = 0; j < d; ++j)
      ASSERT_NEAR(products[static_cast<size_t>(p * length + j)], sums[static_cast<size_t>(j)], 1e-9 * static_cast<double>(side.shape.rows))
          << "position " << p << ", column " << j;
    for (int64_t j = d; j < length; ++j) ASSERT_EQ(products[static_cast<size_t>(p * length + j)], kUntouched) << "position " << p;
  }
  std::vector<double> column(static_cast<size_t>(side.shape.rows));
  for (int64_t p = 0; p < n; ++p) {
    std::ranges::fill(column, 0.0);
    for (const auto& [r, x] : entries[static_cast<size_t>(p)]) column[static_cast<size_t>(r)] = side.weights[static_cast<size_t>(r)] * x;
    for (int64_t q = 0; q <= p; ++q) {
      double sum = 0;
      for (const auto& [r, x] : entries[static_cast<size_t>(q)]) sum += column[static_cast<size_t>(r)] * x;
      ASSERT_NEAR(grams[static_cast<size_t>(p * n + q)], sum, 1e-9 * static_cast<double>(side.shape.rows)) << p << ", " << q;
    }
  }
}

// Small: what mutants are asked. A column without anything to fit has converged before it begins, and has no step to take.
TEST(AttributeStepOnTheDevice, FindsTheSameMapOfFewRowsAndLeavesAColumnOfZerosAtZero) {
  Side side({120, 2, 5, 6});
  const auto stride = static_cast<size_t>(row_stride(6));
  for (size_t r = 0; r < 120; ++r) side.vectors[r * stride + 4] = 0;
  side.device_vectors.upload(side.vectors);
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_GT(squared_norm(*direct), 0.001);
  EXPECT_LT(relative_gap(*iterated, *direct), 1e-5);
  for (const std::vector<float>& map : {*direct, *iterated})
    for (size_t f = 0; f < 8; ++f) EXPECT_EQ(map[f * 6 + 4], 0);
}

// Few iterations, so that it matters where the second run begins.
TEST(AttributeStepOnTheDevice, GoesOnFromAMapOfFewRows) {
  const Side side({120, 2, 5, 6});
  const auto once = fit(side, 0, 3, 4), anew = fit(side, 0, 3, 4, true);
  ASSERT_TRUE(once.ok() && anew.ok()) << once.status() << anew.status();
  EXPECT_EQ(*anew, *once);
  EXPECT_GT(relative_gap(*once, *fit(side, kDirectAttributeColumns)), 1e-6) << "they have got there: the test is too easy";
}

TEST(AttributeStepOnTheDevice, FindsTheSameMapByConjugateGradients) {
  const Side side({3000, 20, 30, 19});
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_GT(squared_norm(*direct), 0.001);
  EXPECT_LT(relative_gap(*iterated, *direct), 1e-5);
}

TEST(AttributeStepOnTheDevice, HasTheSameBitsInAnotherOrderOfThreadsAndBlocks) {
  const char* const before = std::getenv("EMULATION_SEED");
  const std::string kept = before == nullptr ? "0" : before;
  for (const int64_t direct_columns : {kDirectAttributeColumns, int64_t{0}}) {
    std::vector<std::vector<float>> found;
    for (const char* seed : {"0", "5"}) {
      setenv("EMULATION_SEED", seed, 1);
      found.push_back(*fit(Side({2000, 3, 10, 7}), direct_columns));
    }
    EXPECT_EQ(found[0], found[1]);
  }
  setenv("EMULATION_SEED", kept.c_str(), 1);
}

TEST(AttributeStepOnTheDevice, SaysWhereTheMatrixIsNotPositiveDefinite) {
  const Side side({10, 1, 2, 3}, std::vector<double>(10, 0.0));
  const auto map = fit(side, kDirectAttributeColumns);
  EXPECT_TRUE(absl::IsInvalidArgument(map.status())) << map.status();
  EXPECT_THAT(std::string(message_of(map.status())), testing::HasSubstr("--customer-attribute-regularization"));
}

// Short of kFitTolerance, but below kLeastFit.
TEST(AttributeStepOnTheDevice, TakesWhatTheIterationsHaveComeTo) {
  const Side side({120, 2, 5, 6});
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0, 3, 4);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_GT(squared_norm(*direct), 0.001);
  EXPECT_LT(relative_gap(*iterated, *direct), 0.02);
  EXPECT_GT(relative_gap(*iterated, *direct), 1e-6) << "they have got there: the test is too easy";
}

TEST(AttributeStepOnTheDevice, SaysThatConjugateGradientsDoNotConverge) {
  std::vector<double> weights(10, 1.0);
  weights[3] = -1e6;  // no longer positive definite
  const auto map = fit(Side({10, 3, 2, 3}, weights), 0, 1e-3, 30);
  EXPECT_TRUE(absl::IsInvalidArgument(map.status())) << map.status();
  EXPECT_THAT(std::string(message_of(map.status())), testing::HasSubstr("did not converge in 30 iterations"));
}

}  // namespace
}  // namespace bouquet::cuda
