// Histories that were merged apart and joined are those that would have been merged at once.
#include "engine/joined_histories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace bouquet {
namespace {

constexpr int64_t kDay = 86400ll * 1000000;

class JoinHistory : public ::testing::Test {
 protected:
  JoinHistory() {
    rules_.types[1].half_life_days = 10;
    rules_.repurchase_half_life_days = 30;
  }
  std::vector<HistoryEntry> merged(const std::vector<Event>& events) const {
    std::vector<HistoryEntry> out;
    merge_events(events, rules_, out);
    return out;
  }
  std::vector<HistoryEntry> joined(const std::vector<Event>& a, const std::vector<Event>& b) const {
    std::vector<HistoryEntry> out = merged(a);
    join_history(merged(b), out);
    return out;
  }
  static std::vector<Event> together(std::vector<Event> a, const std::vector<Event>& b) {
    a.insert(a.end(), b.begin(), b.end());
    std::ranges::stable_sort(a, {}, &Event::time);
    return a;
  }

  EventRules rules_{.types = built_in_event_types(), .reference_time = 100 * kDay};
  uint8_t purchase_ = static_cast<uint8_t>(rules_.find("purchase"));
  uint8_t return_ = static_cast<uint8_t>(rules_.find("return"));
};

TEST_F(JoinHistory, IsThatOfAllEventsAtOnce) {
  std::mt19937 random(7);
  int compared = 0, returned = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<Event> sides[2];
    for (int e = 0; e < 12; ++e)
      sides[random() % 2].push_back({.item = static_cast<ItemIndex>(random() % 4),
                                     .time = static_cast<int64_t>(random() % 100) * kDay,
                                     .value = static_cast<float>(1 + random() % 3),
                                     .type = static_cast<uint8_t>(random() % rules_.types.size())});
    for (auto& side : sides) std::ranges::stable_sort(side, {}, &Event::time);
    const auto expected = merged(together(sides[0], sides[1])), got = joined(sides[0], sides[1]);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const HistoryEntry &g = got[i], &e = expected[i];
      ASSERT_EQ(g.item, e.item);
      ASSERT_EQ(g.target, e.target);
      ASSERT_NEAR(g.confidence, e.confidence, 1e-5f * e.confidence);
      ASSERT_NEAR(g.net, e.net, 1e-5f);
      ASSERT_EQ(g.newest, e.newest);
      // What one side bought and gave back altogether is no longer known to have been bought.
      const auto lost = [&](const std::vector<Event>& side) {
        for (const HistoryEntry& entry : merged(side))
          if (entry.item == e.item && entry.target == 0) return true;
        return false;
      };
      if (lost(sides[0]) || lost(sides[1])) {
        ++returned;
        continue;
      }
      ++compared;
      ASSERT_EQ(g.consumed, e.consumed);
      ASSERT_EQ(g.count, e.count);
      ASSERT_NEAR(g.repurchase, e.repurchase, 1e-5f * (1 + e.repurchase));
    }
  }
  EXPECT_GT(compared, 1000);
  EXPECT_GT(returned, 1000);
}

TEST_F(JoinHistory, WhatOneBoughtTheOtherCanGiveBack) {
  const auto half = joined({{.item = 1, .value = 2, .type = purchase_}}, {{.item = 1, .value = 1, .type = return_}});
  EXPECT_TRUE(half[0].consumed);
  EXPECT_EQ(half[0].target, 1);
  const auto all = joined({{.item = 1, .value = 2, .type = purchase_}}, {{.item = 1, .value = 2, .type = return_}});
  EXPECT_FALSE(all[0].consumed);
  EXPECT_EQ(all[0].target, 0);
}

TEST_F(JoinHistory, WithNothingIsTheOtherOne) {
  const std::vector<Event> events = {{.item = 1, .type = purchase_}, {.item = 3, .type = purchase_}};
  EXPECT_EQ(joined(events, {}).size(), 2u);
  EXPECT_EQ(joined({}, events).size(), 2u);
  EXPECT_EQ(joined({}, events)[1].item, 3);
}

}  // namespace
}  // namespace bouquet
