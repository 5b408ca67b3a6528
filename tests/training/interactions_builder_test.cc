#include "training/interactions_builder.h"

#include <algorithm>

#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BuildTrainingSet : public ReaderTest {
 protected:
  // The events at these places of the log.
  static std::vector<uint8_t> part(const Dataset& dataset, const std::vector<size_t>& events) {
    std::vector<uint8_t> marks(static_cast<size_t>(dataset.events.size()));
    for (const size_t e : events) marks[e] = 1;
    return marks;
  }
};

TEST_F(BuildTrainingSet, MergesEventsIntoPairsFromBothSides) {
  const Dataset dataset = must_read("customer_id,item_id,value\nann,a,1\nann,b,3\nann,a,1\nbob,b,-1\n");
  const auto set = build_training_set(dataset, {});
  ASSERT_TRUE(set.ok()) << set.status();
  const SparseRows& rows = set->interactions.by_customer;
  EXPECT_THAT(rows.offsets, ElementsAre(0, 2, 3));
  EXPECT_THAT(rows.columns, ElementsAre(0, 1, 1));
  EXPECT_THAT(rows.confidences, ElementsAre(2, 2, 1));
  EXPECT_THAT(rows.targets, ElementsAre(1, 1, 0));
  EXPECT_THAT(set->consumed, ElementsAre(1, 1, 0));
  EXPECT_THAT(set->repurchase, ElementsAre(2, 1, 0));
  EXPECT_THAT(set->interactions.by_item.offsets, ElementsAre(0, 1, 3));
  EXPECT_TRUE(validate(rows).ok());
  EXPECT_TRUE(validate(set->interactions.by_item).ok());
}

TEST_F(BuildTrainingSet, HasNoTargetsWhereNothingWasReturned) {
  const auto set = build_training_set(must_read("customer_id,item_id\nann,a\nann,b\n"), {});
  ASSERT_TRUE(set.ok());
  EXPECT_THAT(set->interactions.by_customer.targets, IsEmpty());
}

TEST_F(BuildTrainingSet, NumbersCustomersAndItemsOfThePartAlone) {
  const Dataset dataset = must_read("customer_id,item_id\nann,a\nbob,b\ncid,c\ncid,d\n");
  const auto set = build_training_set(dataset, part(dataset, {1, 3}));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->customers, ElementsAre(dataset.customers.find("bob"), dataset.customers.find("cid")));
  EXPECT_THAT(set->items, ElementsAre(dataset.items.find("b"), dataset.items.find("d")));
  EXPECT_THAT(set->interactions.by_customer.columns, ElementsAre(0, 1));
  EXPECT_EQ(set->interactions.by_customer.column_count, 2);
}

TEST_F(BuildTrainingSet, TakesTimeAndCapsFromThePartAlone) {
  const Dataset dataset = must_read("customer_id,item_id,time,value\nann,a,10,2\nann,b,20,4\nann,planted,99,1000000\n");
  const auto set = build_training_set(dataset, part(dataset, {0, 1}));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->rules.reference_time, 20000000);
  EXPECT_EQ(set->rules.types[0].value_cap, 4);
  EXPECT_EQ(set->rules.types[1].value_cap, 0);  // no view in the part
  EXPECT_EQ(set->interactions.item_count(), 2);
  const Dataset without = must_read("customer_id,item_id,time,value\nann,a,10,2\nann,b,20,4\n");
  const auto same = build_training_set(without, {});
  EXPECT_EQ(set->interactions.by_customer.confidences, same->interactions.by_customer.confidences);
}

TEST_F(BuildTrainingSet, CapsValuesAtTheirPercentileByType) {
  std::string text = "customer_id,item_id,value,event_type\n";
  for (int i = 1; i <= 2000; ++i) text += "ann,i" + std::to_string(i) + "," + std::to_string(i % 2 == 0 ? i : -i) + ",purchase\n";
  text += "ann,i1,77,rating\n";
  const auto set = build_training_set(must_read(text), {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->rules.types[static_cast<size_t>(set->rules.find("purchase"))].value_cap, 1998);
  EXPECT_EQ(set->rules.types[static_cast<size_t>(set->rules.find("rating"))].value_cap, 77);
}

TEST_F(BuildTrainingSet, AnonymousEventsBringItemsButNoPairs) {
  const Dataset dataset = must_read("customer_id,item_id,value\nann,a,1\n,b,500\n");
  const auto set = build_training_set(dataset, {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->interactions.pair_count(), 1);
  EXPECT_EQ(set->items.size(), 2u);
  EXPECT_EQ(set->rules.types[0].value_cap, 1);
}

TEST_F(BuildTrainingSet, KeepsTheNewestPairsOfALongHistory) {
  options_.max_history = 2;
  const auto set = build_training_set(must_read("customer_id,item_id,time\nann,a,1\nann,b,2\nann,c,3\n"), {});
  ASSERT_TRUE(set.ok());
  EXPECT_THAT(set->interactions.by_customer.columns, ElementsAre(1, 2));
}

TEST_F(BuildTrainingSet, RefusesPartsThatTeachNothing) {
  const Dataset dataset = must_read("customer_id,item_id\nann,a\nann,b\n,a\n,b\n");
  const auto message = [&](std::span<const uint8_t> marks) { return std::string(message_of(build_training_set(dataset, marks).status())); };
  EXPECT_THAT(message(part(dataset, {})), HasSubstr("no customer has an event"));
  EXPECT_THAT(message(part(dataset, {0, 1})), HasSubstr("no customer has an event"));
  EXPECT_THAT(message(part(dataset, {2})), HasSubstr("has 1 of the items; at least two are needed"));
  EXPECT_THAT(message(std::vector<uint8_t>(3, 1)), HasSubstr("marks 3 events of 4"));
}

TEST_F(BuildTrainingSet, ManyCustomersInManyThreadsAreAsOneByOne) {
  std::string text = "customer_id,item_id,time,value\n";
  uint64_t state = 1;
  const auto next = [&] { return state = state * 6364136223846793005ull + 1442695040888963407ull, state >> 40; };
  for (int i = 0; i < 60000; ++i)
    text += "c" + std::to_string(next() % 20000) + ",i" + std::to_string(next() % 50) + "," + std::to_string(next() % 1000) + "," +
            (next() % 10 == 0 ? "-1" : "2") + "\n";
  const Dataset dataset = must_read(text);
  const auto set = build_training_set(dataset, {});
  ASSERT_TRUE(set.ok());
  const SparseRows& rows = set->interactions.by_customer;
  ASSERT_TRUE(validate(rows).ok());
  size_t e = 0;
  std::vector<HistoryEntry> merged;
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    std::vector<Event> events;
    for (; e < dataset.events.customers.size() && dataset.events.customers[e] == set->customers[static_cast<size_t>(row)]; ++e) {
      const auto item = std::lower_bound(set->items.begin(), set->items.end(), dataset.events.items[e]) - set->items.begin();
      events.push_back({static_cast<ItemIndex>(item), dataset.events.times[e], dataset.events.values[e], dataset.events.types[e]});
    }
    merge_events(events, set->rules, merged);
    ASSERT_EQ(rows.row_length(row), static_cast<int64_t>(merged.size()));
    for (size_t i = 0; i < merged.size(); ++i) {
      const auto at = static_cast<size_t>(rows.offsets[static_cast<size_t>(row)]) + i;
      ASSERT_EQ(rows.columns[at], merged[i].item);
      ASSERT_EQ(rows.confidences[at], merged[i].confidence);
      ASSERT_EQ(rows.targets[at], merged[i].target);
      ASSERT_EQ(set->consumed[at] != 0, merged[i].consumed);
      ASSERT_EQ(set->repurchase[at], merged[i].repurchase);
    }
  }
}

}  // namespace
}  // namespace bouquet::training
