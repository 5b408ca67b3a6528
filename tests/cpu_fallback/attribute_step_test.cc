#include "cpu_fallback/attribute_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/conformance/shop_attributes.h"
#include "tests/relative_gap.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kRows = 20000;  // three blocks of sparse rows
constexpr int32_t kDimension = 19;

class AttributeSteps : public testing::Test {
 protected:
  AttributeSteps() : attributes_(conformance::random_attributes(kRows, {.dense = 70, .sparse = 60})), vectors_(kRows, kDimension) {
    std::mt19937_64 random(3);
    std::normal_distribution<float> normal;
    for (int64_t r = 0; r < kRows; ++r)
      for (int32_t j = 0; j < kDimension; ++j) vectors_.row(r)[j] = normal(random) + 0.2f * attributes_.dense[r * 70 + j];
    for (int64_t r = 0; r < kRows; ++r) weights_.push_back(0.5 + static_cast<double>(r % 7));
  }

  std::vector<float> fit(int threads, int64_t direct_columns, int most_iterations = kMostFitIterations) {
    ThreadPool pool(threads);
    std::vector<double> ridges(static_cast<size_t>(attributes_.column_count), 3);
    for (size_t f = 0; f < ridges.size(); f += 2) ridges[f] = 300;
    AttributeStep step("customer", attributes_.rows(), weights_, ridges, direct_columns, most_iterations);
    PriorMap map(attributes_.column_count, attributes_.dense_count, kDimension);
    for (int run = 0; run < 2; ++run) {
      const absl::Status s = step.run(vectors_, map, pool);
      EXPECT_TRUE(s.ok()) << s;
    }
    return step.map();
  }

  AttributeTable attributes_;
  FactorTable vectors_;
  std::vector<double> weights_;
};

TEST_F(AttributeSteps, ConjugateGradientsFindTheMapOfTheFactorization) {
  const std::vector<float> direct = fit(2, kDirectAttributeColumns);
  EXPECT_GT(squared_norm(direct), 0.1);
  EXPECT_LT(relative_gap(fit(2, 0), direct), 1e-5);
}

// Short of kFitTolerance, but below kLeastFit.
TEST_F(AttributeSteps, TakeWhatTheIterationsHaveComeTo) {
  const std::vector<float> direct = fit(2, kDirectAttributeColumns);
  EXPECT_GT(squared_norm(direct), 0.1);
  const double gap = relative_gap(fit(2, 0, 4), direct);
  EXPECT_LT(gap, 0.02);
  EXPECT_GT(gap, 1e-6) << "they have got there: the test is too easy";
}

TEST_F(AttributeSteps, HaveTheSameBitsAtAnyNumberOfThreads) {
  EXPECT_EQ(fit(1, kDirectAttributeColumns), fit(3, kDirectAttributeColumns));
  EXPECT_EQ(fit(1, 0), fit(3, 0));
}

// Three categories of twenty values each: every one's columns add up to the intercept, so that XᵀRX is singular but for the regularization.
AttributeTable categories(int64_t rows, int32_t dense) {
  AttributeTable table;
  table.dense_count = dense;
  table.column_count = dense + 60;
  std::mt19937_64 random(8);
  std::normal_distribution<float> normal;
  std::vector<float> numbers;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  for (int64_t r = 0; r < rows; ++r) {
    for (int32_t f = 0; f < dense; ++f) numbers.push_back(normal(random));
    for (int32_t category = 0; category < 3; ++category) columns.push_back(dense + category * 20 + static_cast<int32_t>(random() % 20));
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  table.values = std::vector<float>(columns.size(), 1.0f);
  table.dense = std::move(numbers);
  table.offsets = std::move(offsets);
  table.columns = std::move(columns);
  return table;
}

TEST(AttributeStepsOfCategories, AreSolvedWithAWeakRegularization) {
  const AttributeTable table = categories(kRows, 3);
  std::mt19937_64 random(9);
  std::normal_distribution<float> normal;
  FactorTable vectors(kRows, kDimension);
  for (int64_t r = 0; r < kRows; ++r)
    for (int32_t j = 0; j < kDimension; ++j) vectors.row(r)[j] = normal(random);
  std::vector<double> weights;
  for (int64_t r = 0; r < kRows; ++r) weights.push_back(1000 * (0.513 + static_cast<double>(r % 71) / 3));
  ThreadPool pool(2);
  AttributeStep step("customer", table.rows(), weights, std::vector<double>(static_cast<size_t>(table.column_count), 1e-3));
  PriorMap map(table.column_count, table.dense_count, kDimension);
  const absl::Status s = step.run(vectors, map, pool);
  ASSERT_TRUE(s.ok()) << s;
  for (const float x : step.map()) ASSERT_LT(std::fabs(x), 100);  // nothing has been blown up along what the data leave open
}

}  // namespace
}  // namespace bouquet::cpu
