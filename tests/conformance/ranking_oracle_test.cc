// Ring 2 of the ranker: rows and scores are those of the oracle, bit for bit, on data made to mislead.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/conformance/backend_test.h"
#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"

namespace bouquet::conformance {
namespace {

class RankingAgainstOracle : public testing::TestWithParam<std::tuple<std::string, std::pair<Hardness, std::string>>> {
 protected:
  void SetUp() override { make_or_skip(std::get<0>(GetParam()), backend_); }
  Hardness hardness() const { return std::get<1>(GetParam()).first; }

  std::unique_ptr<Ranker> ranker(const RankingData& data, Side side, RankerLimits limits) {
    auto model = backend_->load(ranking_model(data, side == Side::kItems));
    EXPECT_TRUE(model.ok()) << message_of(model.status());
    auto made = (*model)->make_ranker(side, limits);
    EXPECT_TRUE(made.ok()) << message_of(made.status());
    return std::move(*made);
  }

  std::unique_ptr<Backend> backend_;
};

std::vector<int32_t> first_rows(int32_t count) {
  std::vector<int32_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

constexpr int32_t kQueries = 7;

TEST_P(RankingAgainstOracle, EveryShape) {
  for (const int32_t n : shapes({1, 2, 31, 32, 33, 1000}, {1, 33}))
    for (const int32_t d : shapes({1, 31, 33, 64, 101, 128, 256}, {1, 33})) {
      const RankingData data = ranking_data(hardness(), kQueries, n, d);
      const auto ranker = this->ranker(data, Side::kItems, {.max_batch = kQueries, .max_k = kMaxK});
      const std::vector<int32_t> rows = first_rows(kQueries);
      for (const int32_t k : {1, 10, 100, std::min(n + 5, kMaxK)}) {
        SCOPED_TRACE(testing::Message() << n << " rows of dimension " << d << ", k = " << k);
        expect_as_oracle(*ranker, data.asking_matrix(), data.ranked_matrix(), {.rows = rows, .k = k});
      }
    }
}

TEST_P(RankingAgainstOracle, ExclusionsAndFiltersThatDifferByQuery) {
  for (const int32_t n : shapes({1, 33, 1000, 3000}, {33})) {
    const RankingData data = ranking_data(hardness(), 40, n, 48);
    const auto ranker = this->ranker(data, Side::kItems, {.max_batch = 40, .max_k = 100});
    const MixedRestrictions restrictions(40, n, 5);
    const std::vector<int32_t> rows = first_rows(40);
    for (const int32_t k : {1, 10, 100}) {
      SCOPED_TRACE(testing::Message() << n << " rows, k = " << k);
      QueryBatch queries{.rows = rows, .k = k};
      restrictions.apply(queries);
      expect_as_oracle(*ranker, data.asking_matrix(), data.ranked_matrix(), queries);
    }
  }
}

TEST_P(RankingAgainstOracle, QueriesByVectorAndCustomersForAnItem) {
  const RankingData data = ranking_data(hardness(), kQueries, 700, 52);
  for (const Side side : {Side::kItems, Side::kCustomers}) {
    const auto ranker = this->ranker(data, side, {.max_batch = kQueries, .max_k = 20});
    expect_as_oracle(*ranker, data.asking_matrix(), data.ranked_matrix(), {.vectors = data.asking_matrix(), .k = 20});
  }
}

// Enough work that a backend with threads shares it, by rows for few queries and by queries for many.
TEST_P(RankingAgainstOracle, LargeTables) {
  if (small_shapes()) GTEST_SKIP() << "large shapes are left out";
  const RankingData data = ranking_data(hardness(), 70, 21000, 52);
  const auto ranker = this->ranker(data, Side::kItems, {.max_batch = 70, .max_k = 150});
  const std::vector<int32_t> rows = first_rows(70);
  for (const size_t batch : {20, 70}) {
    const MixedRestrictions restrictions(static_cast<int64_t>(batch), 21000, 6);
    QueryBatch queries{.rows = std::span(rows).first(batch), .k = batch == 20 ? 150 : 10};
    expect_as_oracle(*ranker, data.asking_matrix(), data.ranked_matrix(), queries);
    restrictions.apply(queries);
    expect_as_oracle(*ranker, data.asking_matrix(), data.ranked_matrix(), queries);
  }
}

std::string test_name(const testing::TestParamInfo<RankingAgainstOracle::ParamType>& info) {
  return std::get<0>(info.param) + std::get<1>(info.param).second;
}

INSTANTIATE_TEST_SUITE_P(Backends, RankingAgainstOracle,
                         testing::Combine(testing::ValuesIn(backend_names()), testing::ValuesIn(hardnesses())), test_name);

// The negative control: a ranker that trusts sums in float must not pass on the data above.
oracle::Ranking rank_in_float(const RankingData& data, int32_t query, int32_t k) {
  const MatrixView<const float> ranked = data.ranked_matrix();
  std::vector<std::pair<float, int32_t>> scored;
  for (int32_t r = 0; r < ranked.rows; ++r) {
    float sum = 0;
    for (int32_t j = 0; j < data.dimension; ++j)
      sum += data.asking_matrix().row(query)[static_cast<size_t>(j)] * ranked.row(r)[static_cast<size_t>(j)];
    scored.emplace_back(-sum, r);
  }
  std::sort(scored.begin(), scored.end());
  oracle::Ranking out;
  for (size_t i = 0; i < static_cast<size_t>(k); ++i) {
    out.rows.push_back(scored[i].second);
    out.scores.push_back(-scored[i].first);
  }
  return out;
}

TEST(RankingNegativeControl, ARankerThatTrustsFloatFailsOnTheseData) {
  const std::vector<int32_t> rows = {0};
  for (const auto& [hardness, name] : hardnesses()) {
    SCOPED_TRACE(name);
    const RankingData data = ranking_data(hardness, 1, 1000, 64);
    const oracle::Ranking right = oracle::rank(data.asking_matrix(), data.ranked_matrix(), {.rows = rows, .k = 10});
    const oracle::Ranking naive = rank_in_float(data, 0, 10);
    const bool ids_differ = naive.rows != right.rows;
    switch (hardness) {
      case Hardness::kOneUlpApart:
      case Hardness::kCancelling: EXPECT_TRUE(ids_differ); break;
      case Hardness::kDuplicates:
      case Hardness::kAscending:
      case Hardness::kGaussian: EXPECT_GT(count_differences(naive.rows, naive.scores, right), 0); break;
      default: break;
    }
  }
}

}  // namespace
}  // namespace bouquet::conformance
