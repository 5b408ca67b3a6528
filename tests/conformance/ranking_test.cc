// Ring 1 of the ranker: tiny models of whole numbers, where every answer can be seen by eye, and every misuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <thread>

#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"

namespace bouquet::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kPadding = -std::numeric_limits<float>::infinity();

class Ranking : public BackendTest {
 protected:
  // Customers (1, 0), (0, 1), (1, 1); five items.
  std::unique_ptr<Ranker> shop(RankerLimits limits = {.max_batch = 3, .max_k = 8}, Side side = Side::kItems) {
    const RankingData data{2, {1, 0, 0, 1, 1, 1}, {3, 0, 1, 5, 3, -2, -4, 5, 1, 0}};
    return ranker(data, limits, side);
  }

  std::unique_ptr<Ranker> ranker(const RankingData& data, RankerLimits limits, Side side = Side::kItems) {
    auto model = backend().load(ranking_model(data));
    EXPECT_TRUE(model.ok()) << message_of(model.status());
    auto made = (*model)->make_ranker(side, limits);
    EXPECT_TRUE(made.ok()) << message_of(made.status());
    return std::move(*made);  // the model's own handle ends here: a ranker keeps it alive
  }

  void expect_refused(const QueryBatch& queries, const std::string& message) {
    const auto ranker = shop();
    const Answer answer = ask(*ranker, queries);
    EXPECT_TRUE(absl::IsInvalidArgument(answer.status)) << answer.status;
    EXPECT_THAT(std::string(message_of(answer.status)), HasSubstr(message));
    EXPECT_TRUE(answer.untouched());
  }

  const std::vector<int32_t> all_ = {0, 1, 2};
};

std::vector<int32_t> rows_of(Answer& answer) { return {answer.rows.span().begin(), answer.rows.span().end()}; }
std::vector<float> scores_of(Answer& answer) { return {answer.scores.span().begin(), answer.scores.span().end()}; }

TEST_P(Ranking, BestFirstAndEqualScoresByLowerRow) {
  const auto ranker = shop();
  Answer answer = ask(*ranker, {.rows = all_, .k = 3});
  EXPECT_THAT(rows_of(answer), ElementsAre(0, 2, 1, /**/ 1, 3, 0, /**/ 1, 0, 2));
  EXPECT_THAT(scores_of(answer), ElementsAre(3, 3, 1, /**/ 5, 5, 0, /**/ 6, 3, 1));
}

TEST_P(Ranking, PadsWhenFewerThanKItemsAreEligible) {
  const auto ranker = shop();
  const std::vector<int32_t> one = {0};
  Answer answer = ask(*ranker, {.rows = one, .k = 7});
  EXPECT_THAT(rows_of(answer), ElementsAre(0, 2, 1, 4, 3, kNone, kNone));
  EXPECT_THAT(scores_of(answer), ElementsAre(3, 3, 1, 1, -4, kPadding, kPadding));
}

TEST_P(Ranking, LeavesOutWhatIsExcluded) {
  const auto ranker = shop();
  const std::vector<int64_t> offsets = {0, 2, 2, 4};
  const std::vector<int32_t> excluded = {0, 2, 0, 1};
  Answer answer = ask(*ranker, {.rows = all_, .exclusions = {offsets, excluded}, .k = 2});
  EXPECT_THAT(rows_of(answer), ElementsAre(1, 4, /**/ 1, 3, /**/ 2, 3));
}

TEST_P(Ranking, ExclusionsMayStartInsideALongerList) {
  const auto ranker = shop();
  const std::vector<int64_t> offsets = {1, 2};
  const std::vector<int32_t> excluded = {4, 0, 3};
  Answer answer = ask(*ranker, {.rows = std::span(all_).first(1), .exclusions = {offsets, excluded}, .k = 2});
  EXPECT_THAT(rows_of(answer), ElementsAre(2, 1));
}

TEST_P(Ranking, ReturnsOnlyWhatTheQuerysFilterLetsThrough) {
  const auto ranker = shop();
  const std::vector<uint64_t> some = {0b11010}, nothing = {0};
  const std::vector<BitmapView> filters = {{some}, {nothing}};
  const std::vector<int32_t> filter_of = {0, kNone, 1};
  Answer answer = ask(*ranker, {.rows = all_, .filters = filters, .filter_of = filter_of, .k = 2});
  EXPECT_THAT(rows_of(answer), ElementsAre(1, 4, /**/ 1, 3, /**/ kNone, kNone));
  EXPECT_THAT(scores_of(answer), ElementsAre(1, 1, 5, 5, kPadding, kPadding));
}

TEST_P(Ranking, AVectorRanksAsTheRowThatHoldsIt) {
  const auto ranker = shop();
  const std::vector<float> vectors = {1, 1, 0, 1};
  Answer answer = ask(*ranker, {.vectors = {vectors.data(), 2, 2}, .k = 2});
  EXPECT_THAT(rows_of(answer), ElementsAre(1, 0, 1, 3));
}

TEST_P(Ranking, CustomersForAnItem) {
  const auto ranker = shop({.max_batch = 3, .max_k = 8}, Side::kCustomers);
  const std::vector<int32_t> items = {1, 3};
  Answer answer = ask(*ranker, {.rows = items, .k = 3});
  EXPECT_THAT(rows_of(answer), ElementsAre(2, 1, 0, /**/ 1, 2, 0));
  EXPECT_THAT(scores_of(answer), ElementsAre(6, 5, 1, /**/ 5, 1, -4));
}

TEST_P(Ranking, AProfileOfZeroTakesTheLowestRows) {
  const auto ranker = shop();
  const std::vector<float> zero = {0, 0};
  const std::vector<int64_t> offsets = {0, 1};
  const std::vector<int32_t> excluded = {1};
  Answer answer = ask(*ranker, {.vectors = {zero.data(), 1, 2}, .exclusions = {offsets, excluded}, .k = 3});
  EXPECT_THAT(rows_of(answer), ElementsAre(0, 2, 3));
  EXPECT_THAT(scores_of(answer), ElementsAre(0, 0, 0));
}

TEST_P(Ranking, NoItemsAtAll) {
  const auto ranker = this->ranker({2, {1, 0}, {}}, {.max_batch = 1, .max_k = 2});
  const std::vector<int32_t> one = {0};
  Answer answer = ask(*ranker, {.rows = one, .k = 2});
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(rows_of(answer), ElementsAre(kNone, kNone));
}

TEST_P(Ranking, OneItem) {
  const auto ranker = this->ranker({1, {2}, {-3}}, {.max_batch = 1, .max_k = 2});
  const std::vector<int32_t> one = {0};
  Answer answer = ask(*ranker, {.rows = one, .k = 2});
  EXPECT_THAT(rows_of(answer), ElementsAre(0, kNone));
  EXPECT_THAT(scores_of(answer), ElementsAre(-6, kPadding));
}

TEST_P(Ranking, NoQueriesAreAnsweredWithNothing) {
  const auto ranker = shop();
  EXPECT_TRUE(ask(*ranker, {.k = 3}).status.ok());
}

TEST_P(Ranking, ScoresPastTheRangeOfFloatAreInfiniteAndTie) {
  const auto ranker = this->ranker({1, {3e38f, -3e38f}, {1, 3e38f, -3e38f, 2e38f}}, {.max_batch = 2, .max_k = 4});
  const std::vector<int32_t> both = {0, 1};
  Answer answer = ask(*ranker, {.rows = both, .k = 4});
  EXPECT_THAT(rows_of(answer), ElementsAre(1, 3, 0, 2, /**/ 2, 0, 1, 3));
  EXPECT_EQ(scores_of(answer)[0], -kPadding);
  EXPECT_EQ(scores_of(answer)[3], kPadding) << "a score of -infinity is still a row, not padding";
}

TEST_P(Ranking, ARankerAnswersTheSameAgain) {
  const RankingData data = ranking_data(Hardness::kGaussian, 30, 2000, 24);
  const auto ranker = this->ranker(data, {.max_batch = 30, .max_k = 50});
  std::vector<int32_t> rows(30);
  std::iota(rows.begin(), rows.end(), 0);
  Answer first = ask(*ranker, {.rows = rows, .k = 50});
  ask(*ranker, {.rows = std::span(rows).first(3), .k = 1});
  Answer again = ask(*ranker, {.rows = rows, .k = 50});
  EXPECT_EQ(rows_of(first), rows_of(again));
  EXPECT_EQ(scores_of(first), scores_of(again));
}

TEST_P(Ranking, SeveralRankersAtOnce) {
  const RankingData data = ranking_data(Hardness::kDecaying, 40, 16000, 40);
  auto model = backend().load(ranking_model(data));
  ASSERT_TRUE(model.ok());
  std::vector<int32_t> rows(40);
  std::iota(rows.begin(), rows.end(), 0);
  const QueryBatch queries{.rows = rows, .k = 10};
  const oracle::Ranking right = oracle::rank(data.asking_matrix(), data.ranked_matrix(), queries);
  std::vector<int> differences(4, -1);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < differences.size(); ++t)
      threads.emplace_back([&, t] {
        auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = 40, .max_k = 10});
        if (!ranker.ok()) return;
        differences[t] = 0;
        for (int round = 0; round < 3; ++round) {
          Answer answer = ask(**ranker, queries);
          differences[t] += count_differences(answer.rows.span(), answer.scores.span(), right);
        }
      });
  }
  EXPECT_THAT(differences, testing::Each(0));
}

// What a hot swap does: one model serves while others are loaded, ranked and dropped.
TEST_P(Ranking, ModelsComeAndGoWhileAnotherServes) {
  const RankingData data[] = {ranking_data(Hardness::kDecaying, 8, 1500, 24), ranking_data(Hardness::kGaussian, 8, 900, 17)};
  std::vector<int32_t> rows(8);
  std::iota(rows.begin(), rows.end(), 0);
  const QueryBatch queries{.rows = rows, .k = 10};
  const auto load_and_rank = [&](const RankingData& d, int rounds) {
    const oracle::Ranking right = oracle::rank(d.asking_matrix(), d.ranked_matrix(), queries);
    auto model = backend().load(ranking_model(d));
    if (!model.ok()) return -1;
    auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = 8, .max_k = 10});
    if (!ranker.ok()) return -1;
    model->reset();  // the ranker keeps it
    int differences = 0;
    for (int round = 0; round < rounds; ++round) {
      Answer answer = ask(**ranker, queries);
      differences += count_differences(answer.rows.span(), answer.scores.span(), right);
    }
    return differences;
  };
  int serving = -1, swapped = 0;
  {
    const std::jthread server([&] { serving = load_and_rank(data[0], 20); });
    const std::jthread swapper([&] {
      for (int i = 0; i < 10; ++i) swapped += load_and_rank(data[1], 1) == 0 ? 1 : 0;
    });
  }
  EXPECT_EQ(serving, 0);
  EXPECT_EQ(swapped, 10);
}

TEST_P(Ranking, RefusesLimitsOutOfRange) {
  auto model = backend().load(ranking_model({2, {1, 0}, {3, 0}}));
  ASSERT_TRUE(model.ok());
  for (const RankerLimits limits : {RankerLimits{0, 10}, RankerLimits{-1, 10}, RankerLimits{1, 0}, RankerLimits{1, kMaxK + 1}})
    EXPECT_TRUE(absl::IsInvalidArgument((*model)->make_ranker(Side::kItems, limits).status()));
  EXPECT_TRUE((*model)->make_ranker(Side::kItems, {1, kMaxK}).ok());
}

TEST_P(Ranking, RefusesABatchOverTheLimit) {
  const std::vector<int32_t> four = {0, 1, 2, 0};
  expect_refused({.rows = four, .k = 2}, "batch of 4");
}

TEST_P(Ranking, RefusesKOutOfRange) {
  for (const int32_t k : {0, -3, 9}) expect_refused({.rows = all_, .k = k}, "k is " + std::to_string(k));
}

TEST_P(Ranking, RefusesRowsOutOfRange) {
  for (const int32_t row : {-1, 3}) {
    const std::vector<int32_t> rows = {0, row};
    expect_refused({.rows = rows, .k = 2}, "query 1: its row is " + std::to_string(row));
  }
}

TEST_P(Ranking, RefusesRowsAndVectorsAtOnce) {
  const std::vector<float> vector = {1, 1};
  expect_refused({.rows = std::span(all_).first(1), .vectors = {vector.data(), 1, 2}, .k = 2}, "both");
  expect_refused({.vectors = {nullptr, 1, 2}, .k = 2}, "null pointer");
}

TEST_P(Ranking, RefusesVectorsOfAnotherDimension) {
  const std::vector<float> vector = {1, 1, 1};
  expect_refused({.vectors = {vector.data(), 1, 3}, .k = 2}, "3 numbers");
}

TEST_P(Ranking, RefusesVectorsThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> vectors = {1, 1, 1, bad};
    expect_refused({.vectors = {vectors.data(), 2, 2}, .k = 2}, "query 1");
  }
}

TEST_P(Ranking, RefusesExclusionsThatDoNotFit) {
  const std::vector<int32_t> two = {1, 2};
  const std::vector<int64_t> short_offsets = {0, 1, 2}, past_the_end = {0, 1, 2, 3}, descending = {0, 2, 1, 2}, negative = {-1, 0, 1, 2};
  expect_refused({.rows = all_, .exclusions = {short_offsets, two}, .k = 2}, "3 queries need 4");
  expect_refused({.rows = all_, .exclusions = {past_the_end, two}, .k = 2}, "leave their indices");
  expect_refused({.rows = all_, .exclusions = {negative, two}, .k = 2}, "leave their indices");
  expect_refused({.rows = all_, .exclusions = {descending, two}, .k = 2}, "query 1");
  expect_refused({.rows = all_, .exclusions = {{}, two}, .k = 2}, "no offsets");
}

TEST_P(Ranking, RefusesExcludedRowsThatAreUnsortedRepeatedOrOutOfRange) {
  const std::vector<int64_t> offsets = {0, 0, 2, 2};
  for (const auto& [list, message] : std::vector<std::pair<std::vector<int32_t>, std::string>>{
           {{2, 1}, "ascend at row 1"}, {{1, 1}, "ascend at row 1"}, {{1, 5}, "row is 5"}, {{-1, 1}, "row is -1"}})
    expect_refused({.rows = all_, .exclusions = {offsets, list}, .k = 2}, message);
}

TEST_P(Ranking, RefusesFiltersThatDoNotFit) {
  const std::vector<uint64_t> one_word = {7}, two_words = {7, 7};
  const std::vector<BitmapView> right = {{one_word}}, wrong = {{two_words}};
  const std::vector<int32_t> of_all = {0, 0, 0}, of_two = {0, 0}, too_high = {0, 1, 0}, too_low = {0, -2, 0};
  expect_refused({.rows = all_, .filters = wrong, .filter_of = of_all, .k = 2}, "2 words");
  expect_refused({.rows = all_, .filters = right, .filter_of = of_two, .k = 2}, "2 entries for 3");
  expect_refused({.rows = all_, .filters = right, .filter_of = too_high, .k = 2}, "filter 1 does not exist");
  expect_refused({.rows = all_, .filters = right, .filter_of = too_low, .k = 2}, "filter -2 does not exist");
}

TEST_P(Ranking, RefusesAnAnswerOfAnotherSize) {
  const auto ranker = shop();
  for (const auto& [rows, scores] : std::vector<std::pair<size_t, size_t>>{{5, 6}, {6, 5}, {7, 7}, {0, 0}}) {
    Guarded<int32_t> row_space(rows, kUntouchedRow);
    Guarded<float> score_space(scores, kUntouchedScore);
    EXPECT_TRUE(absl::IsInvalidArgument(ranker->rank({.rows = all_, .k = 2}, {row_space.span(), score_space.span()})));
    EXPECT_TRUE(row_space.untouched() && score_space.untouched());
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Ranking, testing::ValuesIn(backend_names()), backend_test_name);

}  // namespace
}  // namespace bouquet::conformance
