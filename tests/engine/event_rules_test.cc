#include "engine/event_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bouquet {
namespace {

constexpr int64_t kDay = 86400ll * 1000000;

class MergeEvents : public ::testing::Test {
 protected:
  EventRules rules_{.types = built_in_event_types(), .reference_time = 100 * kDay};
  uint8_t purchase_ = static_cast<uint8_t>(rules_.find("purchase"));
  uint8_t return_ = static_cast<uint8_t>(rules_.find("return"));
  uint8_t view_ = static_cast<uint8_t>(rules_.find("view"));

  std::vector<HistoryEntry> merged(const std::vector<Event>& events) {
    std::vector<HistoryEntry> out;
    merge_events(events, rules_, out);
    return out;
  }
};

TEST_F(MergeEvents, AddsUpRepeatedEventsOnOneItem) {
  const auto out = merged({{.item = 3, .type = purchase_}, {.item = 1, .type = purchase_}, {.item = 3, .value = 3, .type = purchase_}});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].item, 1);
  EXPECT_EQ(out[1].item, 3);
  EXPECT_FLOAT_EQ(out[0].confidence, 1);
  EXPECT_FLOAT_EQ(out[1].confidence, 1 + 2);  // log2(1 + 1) + log2(1 + 3)
  EXPECT_TRUE(out[1].consumed);
  EXPECT_EQ(out[1].count, 2);
}

TEST_F(MergeEvents, FullyReturnedItemHasTargetZeroKeepsItsWeightAndIsEligibleAgain) {
  const auto out = merged({{.item = 1, .value = 2, .type = purchase_}, {.item = 1, .value = -2, .type = purchase_}});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_FLOAT_EQ(out[0].confidence, std::log2(3.0f));
  EXPECT_EQ(out[0].target, 0);
  EXPECT_FALSE(out[0].consumed);
  EXPECT_EQ(out[0].repurchase, 0);
}

TEST_F(MergeEvents, PartlyReturnedItemStaysConsumed) {
  const auto out = merged({{.item = 1, .value = 2, .type = purchase_}, {.item = 1, .value = 1, .type = return_}});
  EXPECT_EQ(out[0].target, 1);
  EXPECT_TRUE(out[0].consumed);
}

TEST_F(MergeEvents, ReturnWithoutPurchaseHasTargetZero) {
  const auto out = merged({{.item = 1, .value = -1, .type = purchase_}});
  EXPECT_EQ(out[0].target, 0);
  EXPECT_GT(out[0].confidence, 0);
  EXPECT_FALSE(out[0].consumed);
}

TEST_F(MergeEvents, ViewsDoNotConsume) {
  const auto out = merged({{.item = 1, .value = 900, .type = view_}});
  EXPECT_FLOAT_EQ(out[0].confidence, 0.1f);
  EXPECT_FALSE(out[0].consumed);
}

TEST_F(MergeEvents, OldEventsFadeByTheirHalfLifeAndFutureOnesDoNotGrow) {
  rules_.types[purchase_].half_life_days = 10;
  EXPECT_FLOAT_EQ(merged({{.item = 1, .time = 80 * kDay, .type = purchase_}})[0].confidence, 0.25f);
  EXPECT_FLOAT_EQ(merged({{.item = 1, .time = 900 * kDay, .type = purchase_}})[0].confidence, 1.0f);
}

TEST_F(MergeEvents, ValuesAreCappedBeforeTheTransform) {
  rules_.types[purchase_].value_cap = 7;
  EXPECT_FLOAT_EQ(merged({{.item = 1, .value = 89638, .type = purchase_}})[0].confidence, 3);
}

TEST_F(MergeEvents, KeepsTheNewestDistinctItems) {
  rules_.max_history = 2;
  const auto out = merged(
      {{.item = 5, .type = purchase_}, {.item = 1, .type = purchase_}, {.item = 9, .type = purchase_}, {.item = 5, .type = purchase_}});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].item, 5);
  EXPECT_EQ(out[1].item, 9);
}

TEST(EventRules, RefusesImpossibleSettings) {
  EventRules rules{.types = built_in_event_types()};
  EXPECT_TRUE(validate(rules).ok());
  rules.types[0].weight = -1;
  EXPECT_FALSE(validate(rules).ok());
  rules = {.types = built_in_event_types()};
  rules.types[1].name = "purchase";
  EXPECT_FALSE(validate(rules).ok());
}

}  // namespace
}  // namespace bouquet
