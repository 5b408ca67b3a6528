#include "training/repurchase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/training/small_shop.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::Pointwise;

// One customer who bought milk often and long ago, tea lately; the model's only idea for something new is `fresh_item`.
class RepurchaseTest : public ::testing::Test {
 protected:
  void fit(const std::vector<Bought>& rows, const std::string& later, const std::string& fresh_item, bool with_times = true) {
    std::vector<Bought> all = rows;
    all.push_back({"ann", fresh_item, 0, 1, kNone, "view"});
    shop_ = shop_of(all, with_times);
    shop_.rules.reference_time = 100 * kDay;
    std::vector<Event> events;
    for (size_t e = 0; e < shop_.events.items.size(); ++e)
      events.push_back({shop_.events.items[e], with_times ? shop_.events.times[e] : 0, 1, shop_.events.types[e]});
    std::vector<HistoryEntry> merged;
    merge_events(events, shop_.rules, merged);
    for (const HistoryEntry& entry : merged) {
      items_.push_back(entry.item);
      consumed_.push_back(entry.consumed);
      repurchase_.push_back(entry.repurchase);
      counts_.push_back(entry.count);
    }
    offsets_ = {0, static_cast<int64_t>(items_.size())};
    known_.histories = {offsets_, items_, consumed_, repurchase_, counts_};
    tests_.customers = {0};
    tests_.relevant = {shop_.items.find(later)};
    tests_.offsets = {0, 1};
    tests_.unknown_relevant = {0};
    fresh_.lengths = {kRepurchaseLength};
    fresh_.rows = {std::vector<int32_t>(kRepurchaseLength, kNone)};
    fresh_.rows[0][0] = shop_.items.find(fresh_item);
  }
  RepurchaseChoice chosen() { return choose_repurchase(shop_, {}, shop_.rules, tests_, known_, fresh_); }

  Dataset shop_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> items_;
  std::vector<uint8_t> consumed_;
  std::vector<float> repurchase_;
  std::vector<int32_t> counts_;
  Knowledge known_;
  TestSet tests_;
  Answers fresh_;
};

TEST_F(RepurchaseTest, ScoresFadeByTheHalfLife) {
  fit({{"ann", "milk", 100}, {"ann", "milk", 70}, {"ann", "tea", 40}}, "tea", "jam");
  EXPECT_THAT(repurchase_scores(shop_, {}, shop_.rules, 30), Pointwise(FloatEq(), {1.5f, 0.25f, 0.0f}));
  EXPECT_THAT(repurchase_scores(shop_, {}, shop_.rules, 0), Pointwise(FloatEq(), {2.0f, 1.0f, 0.0f}));
}

TEST_F(RepurchaseTest, ScoresOfAPartIgnoreTheRest) {
  fit({{"ann", "milk", 100}, {"ann", "tea", 40}}, "tea", "jam");
  std::vector<uint8_t> part(shop_.events.items.size(), 1);
  part[static_cast<size_t>(std::find(shop_.events.times.begin(), shop_.events.times.end(), 100 * kDay) - shop_.events.times.begin())] = 0;
  EXPECT_THAT(repurchase_scores(shop_, part, shop_.rules, 0), ElementsAre(1, 0));
}

// Thirty things bought twice in spring and one bought once yesterday, which is what is bought again: only a head that fades fast
// has it among its 20 rows.
TEST_F(RepurchaseTest, ChoosesFadingWhereOldHabitsMislead) {
  std::vector<Bought> rows;
  for (int i = 0; i < 30; ++i)
    for (int twice = 0; twice < 2; ++twice) rows.push_back({"ann", "old " + std::to_string(i), 1 + twice});
  rows.push_back({"ann", "tea", 99});
  fit(rows, "tea", "jam");
  fresh_.rows[0].assign(kRepurchaseLength, shop_.items.find("jam"));
  const RepurchaseChoice choice = chosen();
  EXPECT_GT(choice.half_life_days, 0);
  EXPECT_GT(choice.share, 0);
  EXPECT_EQ(choice.recall, 1);
}

TEST_F(RepurchaseTest, WithoutTimesOnlyCountsAreTried) {
  std::vector<Bought> rows;
  for (int i = 0; i < 30; ++i)
    for (int twice = 0; twice < 2; ++twice) rows.push_back({"ann", "old " + std::to_string(i)});
  rows.push_back({"ann", "tea"});
  fit(rows, "tea", "jam", false);
  EXPECT_EQ(chosen().half_life_days, 0);
}

TEST_F(RepurchaseTest, TakesTheSmallestShareThatIsAsGood) {
  fit({{"ann", "milk", 100}, {"ann", "milk", 70}, {"ann", "tea", 40}}, "milk", "jam");
  EXPECT_DOUBLE_EQ(chosen().share, 0);  // the model runs out after one row, so that the head follows anyway
  fresh_.rows[0].assign(kRepurchaseLength, shop_.items.find("jam"));
  EXPECT_DOUBLE_EQ(chosen().share, 0.1);
}

TEST_F(RepurchaseTest, LeavesEverythingToTheModelWhereNothingRepeats) {
  fit({{"ann", "milk", 100}, {"ann", "tea", 40}}, "jam", "jam");
  const RepurchaseChoice choice = chosen();
  EXPECT_EQ(choice.share, 0);
  EXPECT_EQ(choice.recall, 1);
}

}  // namespace
}  // namespace bouquet::training
