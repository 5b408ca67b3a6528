#include "engine/event_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
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

// Cut anywhere, a history that goes on from what was merged is the one that is merged at once.
TEST_F(MergeEvents, GoOnFromWhatWasMerged) {
  rules_.types[purchase_].half_life_days = 30;
  rules_.repurchase_half_life_days = 20;
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<Event> events;
    const auto count = 1 + random() % 12;
    for (size_t e = 0; e < count; ++e) {
      const auto type = static_cast<uint8_t>(random() % rules_.types.size());
      events.push_back({.item = static_cast<ItemIndex>(random() % 4),
                        .time = static_cast<int64_t>(40 + e) * kDay,
                        .value = static_cast<float>(1 + random() % 3) * (random() % 4 == 0 ? -1.0f : 1.0f),
                        .type = type});
    }
    const auto whole = merged(events);
    for (size_t cut = 0; cut <= count; ++cut) {
      const auto known = merged({events.begin(), events.begin() + static_cast<std::ptrdiff_t>(cut)});
      std::vector<HistoryEntry> out;
      merge_events(known, std::span(events).subspan(cut), rules_, out);
      ASSERT_EQ(out.size(), whole.size());
      for (size_t i = 0; i < out.size(); ++i) {
        SCOPED_TRACE(testing::Message() << "round " << round << ", cut " << cut << ", item " << whole[i].item);
        const auto before = std::find_if(known.begin(), known.end(), [&](const HistoryEntry& e) { return e.item == out[i].item; });
        EXPECT_EQ(out[i].item, whole[i].item);
        EXPECT_NEAR(out[i].confidence, whole[i].confidence, 1e-5 * whole[i].confidence);
        EXPECT_EQ(out[i].target, whole[i].target);
        EXPECT_EQ(out[i].consumed, whole[i].consumed);
        EXPECT_EQ(out[i].net, whole[i].net);
        EXPECT_EQ(out[i].newest, whole[i].newest);
        if (before != known.end() && before->target == 0) continue;  // what was returned altogether is forgotten
        EXPECT_NEAR(out[i].repurchase, whole[i].repurchase, 1e-5);
        EXPECT_EQ(out[i].count, whole[i].count);
      }
    }
  }
}

TEST_F(MergeEvents, GoOnKeepingTheNewestDistinctItems) {
  rules_.max_history = 2;
  const auto known = merged({{.item = 5, .time = 3, .type = purchase_}, {.item = 1, .time = 7, .type = purchase_}});
  const std::vector<Event> late = {{.item = 9, .time = 5, .type = purchase_}};
  std::vector<HistoryEntry> out;
  merge_events(known, late, rules_, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].item, 1);
  EXPECT_EQ(out[1].item, 9);
}

}  // namespace
}  // namespace bouquet
