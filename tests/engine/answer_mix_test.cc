#include "engine/answer_mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bouquet {
namespace {

using ::testing::ElementsAre;

class AnswerMix : public ::testing::Test {
 protected:
  std::vector<int32_t> items_{1, 4, 6, 7};
  std::vector<uint8_t> consumed_{1, 1, 0, 1};
  std::vector<float> repurchase_{2, 5, 0, 5};
  HistoryView history_{items_, consumed_, repurchase_};
  std::vector<AnswerRow> head_, answer_;
  std::vector<int32_t> model_rows_{9, 3, 2, kNone};
  std::vector<float> model_scores_{.9f, .3f, .2f, 0};

  std::vector<int32_t> mixed(double share, int32_t k) {
    rank_repurchases(history_, {}, k, head_);
    mix_answer(head_, model_rows_, model_scores_, share, k, answer_);
    std::vector<int32_t> out;
    for (const AnswerRow& row : answer_) out.push_back(row.item);
    return out;
  }
};

TEST_F(AnswerMix, HeadIsConsumedItemsByScoreThenIndex) {
  rank_repurchases(history_, {}, 10, head_);
  EXPECT_THAT(head_, ElementsAre(AnswerRow{4, 5, AnswerSource::kRepurchase}, AnswerRow{7, 5, AnswerSource::kRepurchase},
                                 AnswerRow{1, 2, AnswerSource::kRepurchase}));
  rank_repurchases(history_, {}, 1, head_);
  EXPECT_EQ(head_.size(), 1u);
  rank_repurchases(history_, {}, 0, head_);
  EXPECT_TRUE(head_.empty());
}

TEST_F(AnswerMix, HeadObeysFilterAndExclusions) {
  const std::vector<uint64_t> all_but_seven{~uint64_t{0} ^ (1u << 7)};
  const std::vector<int32_t> excluded{4};
  rank_repurchases(history_, {.filter = {all_but_seven}, .excluded = excluded}, 10, head_);
  EXPECT_THAT(head_, ElementsAre(AnswerRow{1, 2, AnswerSource::kRepurchase}));
}

TEST_F(AnswerMix, LeadIsRoundedAndBoundedByWhatThereIs) {
  EXPECT_EQ(leading_repurchases(0, 10, 5), 0);
  EXPECT_EQ(leading_repurchases(.25, 10, 5), 3);
  EXPECT_EQ(leading_repurchases(.24, 10, 5), 2);
  EXPECT_EQ(leading_repurchases(1, 10, 5), 5);
}

TEST_F(AnswerMix, HeadLeadsAndModelFollows) {
  EXPECT_THAT(mixed(0.5, 4), ElementsAre(4, 7, 9, 3));
  EXPECT_EQ(answer_[0].source, AnswerSource::kRepurchase);
  EXPECT_EQ(answer_[2], (AnswerRow{9, .9f, AnswerSource::kModel}));
  EXPECT_THAT(mixed(0, 2), ElementsAre(9, 3));
  EXPECT_THAT(mixed(1, 2), ElementsAre(4, 7));
}

TEST_F(AnswerMix, FewerConsumedItemsThanTheShareLeaveRoomToTheModel) { EXPECT_THAT(mixed(1, 5), ElementsAre(4, 7, 1, 9, 3)); }

TEST_F(AnswerMix, HeadFillsWhatAModelThatRanOutLeaves) { EXPECT_THAT(mixed(0, 6), ElementsAre(9, 3, 2, 4, 7, 1)); }

std::vector<int32_t> interleaved(std::vector<double> shares, std::vector<int64_t> available, int32_t k) {
  return interleave_by_shares(shares, available, k);
}

TEST(InterleaveByShares, EveryBeginningIsAsNearToTheSharesAsItCanBe) {
  EXPECT_THAT(interleaved({1, 1}, {9, 9}, 4), ElementsAre(0, 1, 0, 1));  // of equals the first
  EXPECT_THAT(interleaved({2, 1}, {9, 9}, 6), ElementsAre(0, 1, 0, 0, 1, 0));
  EXPECT_THAT(interleaved({0.2, 0.8}, {9, 9}, 5), ElementsAre(1, 1, 0, 1, 1));
  for (const int32_t k : {1, 7, 100}) {
    const std::vector<int32_t> order = interleaved({0.5, 0.3, 0.2}, {100, 100, 100}, k);
    std::vector<int> taken(3, 0);
    for (size_t t = 0; t < order.size(); ++t) {
      ++taken[static_cast<size_t>(order[t])];
      const double whole = static_cast<double>(t + 1);
      EXPECT_LE(std::abs(taken[0] - 0.5 * whole), 1);
      EXPECT_LE(std::abs(taken[1] - 0.3 * whole), 1);
      EXPECT_LE(std::abs(taken[2] - 0.2 * whole), 1);
    }
  }
}

TEST(InterleaveByShares, AListThatRunsOutLeavesItsPlacesToTheOthers) {
  EXPECT_THAT(interleaved({1, 1}, {1, 9}, 5), ElementsAre(0, 1, 1, 1, 1));
  EXPECT_THAT(interleaved({1, 1}, {2, 1}, 5), ElementsAre(0, 1, 0));
  EXPECT_TRUE(interleaved({1, 1}, {0, 0}, 5).empty());
  EXPECT_TRUE(interleaved({1}, {3}, 0).empty());
}

}  // namespace
}  // namespace bouquet
