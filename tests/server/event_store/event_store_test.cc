// What the store keeps, what it refuses, and what a repetition does.
#include "server/event_store/event_store.h"

#include <rocksdb/db.h>

#include <thread>

#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kExists = absl::StatusCode::kAlreadyExists;

size_t entries(const SmallStore& small, Family family) {
  size_t count = 0;
  const std::unique_ptr<rocksdb::Iterator> at(small.database->rocks().NewIterator({}, small.database->family(family)));
  for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
  return count;
}

TEST(EventStore, KeepsEverythingOfAnEventAcrossARestart) {
  SmallStore small;
  const SaidEvent said{
      .customer = "ann", .item = "tea", .event_id = "e1", .time = -5, .type = "view", .value = -2.5f, .basket = "b7", .price = 1.25};
  NewEvent event = said.view();
  event.recommendation_id = "r9";
  event.placement = "home";
  std::promise<Outcome> answer;
  ASSERT_TRUE(small.store->append({&event, 1}, [&](auto outcomes) { answer.set_value(outcomes[0]); }).ok());
  const Outcome outcome = answer.get_future().get();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequence, 1u);
  small.reopen();
  const auto events = small.events_of("ann");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sequence, 1u);
  EXPECT_EQ(events[0].time, -5);
  EXPECT_EQ(events[0].value, -2.5f);
  EXPECT_EQ(events[0].details, (EventDetails{"b7", 1.25, "r9", "home"}));
  EXPECT_EQ(small.store->item_ids().name(events[0].item), "tea");
  EXPECT_EQ(small.store->event_types().name(events[0].type), "view");
  EXPECT_EQ(*small.store->customer_id(small.customer("ann")), "ann");
  EXPECT_EQ(small.store->newest_sequence(), 1u);
}

TEST(EventStore, AnEventWithoutATimeHasThatOfItsArrival) {
  SmallStore small;
  small.append_one({.customer = "ann", .item = "tea"});
  EXPECT_EQ(small.events_of("ann").at(0).time, small.now);
}

TEST(EventStore, NumbersArrivalsFromOneWithoutGaps) {
  SmallStore small;
  const auto outcomes = small.append({{.customer = "ann", .item = "tea"},
                                      {.customer = "bob", .item = "tea", .time = small.now + 2 * 3600 * kSecond},
                                      {.customer = "bob", .item = "milk"}});
  EXPECT_EQ(outcomes[0].sequence, 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(outcomes[1].status));
  EXPECT_EQ(outcomes[2].sequence, 2u);
  small.reopen();
  EXPECT_EQ(small.append_one({.customer = "ann", .item = "tea"}).sequence, 3u);
  EXPECT_EQ(small.set_attributes("ann", {{"city", "Bonn"}}).sequence, 4u);
}

TEST(EventIds, TheSameContentAgainIsAcknowledgedAndStoredOnce) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea", .event_id = "e1"};
  EXPECT_FALSE(small.append_one(said).repeated);
  small.append_one({.customer = "ann", .item = "milk", .event_id = "e2"});
  small.now += 60 * kSecond;  // "when it arrived" is the same content at another time
  for (int restarts = 0; restarts < 2; ++restarts, small.reopen()) {
    const auto twice = small.append({said, said});
    for (const Outcome& outcome : twice) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status;
      EXPECT_TRUE(outcome.repeated);
      EXPECT_EQ(outcome.sequence, 1u);
    }
  }
  EXPECT_EQ(small.events_of("ann").size(), 2u);
  EXPECT_EQ(small.figures().events, 2u);
}

TEST(EventIds, WithinOneBatchTheFirstIsStored) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea", .event_id = "e1"};
  SaidEvent other = said;
  other.value = 2;
  const auto outcomes = small.append({said, said, other});
  EXPECT_FALSE(outcomes[0].repeated);
  EXPECT_TRUE(outcomes[1].repeated);
  EXPECT_EQ(outcomes[1].sequence, outcomes[0].sequence);
  EXPECT_EQ(outcomes[2].status.code(), kExists);
  EXPECT_EQ(small.events_of("ann").size(), 1u);
}

TEST(EventIds, EveryPartOfAnEventIsContent) {
  SmallStore small;
  const SaidEvent first{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5, .basket = "b", .price = 1};
  ASSERT_TRUE(small.append_one(first).status.ok());
  std::vector<SaidEvent> others(8, first);
  others[0].customer = "bob";
  others[1].item = "milk";
  others[2].time = 6;
  others[3].time.reset();
  others[4].type = "view";
  others[5].value = 2;
  others[6].basket = "";
  others[7].price.reset();
  for (const Outcome& outcome : small.append(others)) {
    EXPECT_EQ(outcome.status.code(), kExists);
    EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("event_id"));
  }
  EXPECT_THAT(small.told("ann"), ElementsAre("tea purchase 1 5"));
  EXPECT_EQ(small.customer("bob"), 0u);
}

TEST(EventIds, WithoutOneEventsAreStoredAsOftenAsTheyCome) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea"};
  small.append({said, said});
  small.append_one(said);
  EXPECT_EQ(small.events_of("ann").size(), 3u);
}

TEST(EventIds, AreForgottenAfterTheWindowAndNotBefore) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5};
  small.append_one(said);
  small.now += 30 * kDay;
  EXPECT_TRUE(small.append_one(said).repeated);
  small.now += kSecond;
  EXPECT_FALSE(small.append_one(said).repeated);
  EXPECT_TRUE(small.append_one(said).repeated);
  EXPECT_EQ(small.events_of("ann").size(), 2u);
}

TEST(EventIds, CompactionDropsThoseOutsideTheWindowAlone) {
  SmallStore small;
  small.append_one({.customer = "ann", .item = "tea", .event_id = "e1"});
  small.now += 20 * kDay;
  small.append_one({.customer = "ann", .item = "tea", .event_id = "e2"});
  small.now += 11 * kDay;
  ASSERT_EQ(entries(small, Family::kEventIds), 2u);
  ASSERT_TRUE(compact(*small.database).ok());
  EXPECT_EQ(entries(small, Family::kEventIds), 1u);
  EXPECT_TRUE(small.append_one({.customer = "ann", .item = "tea", .event_id = "e2"}).repeated);
  EXPECT_EQ(small.events_of("ann").size(), 2u);
}

// `bouquet store compact` opens the store without knowing how its server was started.
TEST(EventIds, TheStoreKeepsItsWindowWhoeverOpensIt) {
  SmallStore small;
  small.close();
  small.database_options.event_id_window = 60 * absl::Hours(24);
  small.open();
  const SaidEvent said{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5};
  small.append_one(said);
  small.close();
  small.database_options.event_id_window.reset();
  small.open();
  EXPECT_EQ(small.database->event_id_window(), 60 * absl::Hours(24));
  small.now += 60 * kDay;
  ASSERT_TRUE(compact(*small.database).ok());
  EXPECT_TRUE(small.append_one(said).repeated);
  small.now += kSecond;
  EXPECT_FALSE(small.append_one(said).repeated);
  EXPECT_EQ(small.events_of("ann").size(), 2u);

  small.close();
  small.database_options.event_id_window = absl::Hours(24);
  small.open();
  small.now += 2 * kDay;
  ASSERT_TRUE(compact(*small.database).ok());
  EXPECT_EQ(entries(small, Family::kEventIds), 0u);
  EXPECT_EQ(small.figures().event_id_seconds, 24u * 3600);
}

TEST(EventIds, ADamagedWindowIsRefused) {
  SmallStore small;
  ASSERT_TRUE(small.database->rocks().Put({}, "event_id_seconds", "-5").ok());
  small.close();
  const auto opened = StoreDatabase::open(small.folder());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(opened.status().message(), HasSubstr("event_id_seconds is '-5'"));
}

TEST(EventTimes, LateEventsCountByTheirTimeAndFutureOnesAreBounded) {
  SmallStore small;
  const int64_t bound = small.now + 3600 * kSecond;
  const auto outcomes = small.append({{.customer = "ann", .item = "new", .time = bound},
                                      {.customer = "ann", .item = "newer", .time = bound + 1},
                                      {.customer = "ann", .item = "old", .time = 7}});
  EXPECT_TRUE(outcomes[0].status.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(outcomes[1].status));
  EXPECT_TRUE(outcomes[2].status.ok());
  EXPECT_THAT(small.told("ann"), ElementsAre("old purchase 1 7", "new purchase 1 " + std::to_string(bound)));
}

TEST(EventReader, ReadsOneCustomerUpToATimeOrBetweenSequences) {
  SmallStore small;
  for (int i = 1; i <= 4; ++i) {
    small.append_one({.customer = "ann", .item = "i" + std::to_string(i), .time = 10 * i});
    small.append_one({.customer = "bob", .item = "other", .time = 10 * i});
  }
  EXPECT_THAT(small.told("ann", {.up_to_time = 20}), ElementsAre("i1 purchase 1 10", "i2 purchase 1 20"));
  EXPECT_THAT(small.told("ann", {.after_sequence = 3}), ElementsAre("i3 purchase 1 30", "i4 purchase 1 40"));
  EXPECT_THAT(small.told("ann", {.up_to_sequence = 3}), ElementsAre("i1 purchase 1 10", "i2 purchase 1 20"));
  EXPECT_THAT(small.told("nobody"), IsEmpty());
}

TEST(EventReader, ScansEveryCustomerOnceAndStopsWhenTold) {
  SmallStore small;
  for (int i = 0; i < 50; ++i) small.append_one({.customer = "c" + std::to_string(i % 7), .item = "x", .time = 100 - i});
  std::map<CustomerNumber, size_t> counts;
  int64_t previous = 0;
  const auto count = [&](CustomerNumber customer, std::span<const StoredEvent> events) {
    EXPECT_TRUE(counts.emplace(customer, events.size()).second);
    previous = std::numeric_limits<int64_t>::min();
    for (const StoredEvent& event : events) {
      EXPECT_GE(event.time, previous);
      previous = event.time;
    }
    return true;
  };
  ASSERT_TRUE(small.store->events().scan({}, count).ok());
  EXPECT_EQ(counts.size(), 7u);
  EXPECT_EQ(counts[1], 8u);
  EXPECT_EQ(counts[7], 7u);
  counts.clear();
  ASSERT_TRUE(small.store->events().scan({.after_sequence = 48}, count).ok());
  EXPECT_EQ(counts, (std::map<CustomerNumber, size_t>{{7, 1}, {1, 1}}));
  int calls = 0;
  ASSERT_TRUE(small.store->events().scan({}, [&](auto, auto) { return ++calls < 3; }).ok());
  EXPECT_EQ(calls, 3);
}

TEST(CustomerNumbers, AreNotGivenTwiceWhateverIsErased) {
  SmallStore small;
  small.append({{.customer = "ann", .item = "tea"}, {.customer = "bob", .item = "tea"}});
  const CustomerNumber bob = small.customer("bob");
  for (const std::string& key : {std::string("ibob"), std::string("n\0\0\0\0\0\0\0\2", 9)})
    ASSERT_TRUE(small.database->rocks().Delete({}, small.database->family(Family::kCustomers), key).ok());
  small.reopen();
  EXPECT_EQ(small.customer("bob"), 0u);
  EXPECT_EQ(small.store->customer_id(bob).status().code(), absl::StatusCode::kNotFound);
  small.append_one({.customer = "bob", .item = "milk"});
  EXPECT_GT(small.customer("bob"), bob);
  EXPECT_EQ(small.events_of("bob").size(), 1u);
}

TEST(Attributes, TheLastWordOnEachStaysAndNothingMeansMissing) {
  SmallStore small;
  small.set_attributes("ann", {{"city", "Bonn"}, {"age", "31"}});
  small.set_attributes("ann", {{"city", "Kiel"}, {"age", ""}});
  small.set_attributes("bob", {{"city", "Ulm"}});
  small.reopen();
  const auto attributes = small.store->attributes_of(small.customer("ann"));
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(attributes->sequence, 2u);
  ASSERT_EQ(attributes->values.size(), 2u);
  EXPECT_EQ(attributes->values.at("city").text(), "Kiel");
  EXPECT_EQ(attributes->values.at("age").value_case(), v1::AttributeValue::VALUE_NOT_SET);
}

TEST(Attributes, ARepeatedRequestDoesNotBringBackWhatItOnceSaid) {
  SmallStore small;
  small.set_attributes("ann", {{"city", "Bonn"}}, "r1");
  small.set_attributes("ann", {{"city", "Kiel"}}, "r2");
  small.reopen();
  const Outcome again = small.set_attributes("ann", {{"city", "Bonn"}}, "r1");
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, 1u);
  EXPECT_EQ(small.set_attributes("ann", {{"city", "Rome"}}, "r1").status.code(), kExists);
  EXPECT_TRUE(small.append_one({.customer = "ann", .item = "tea", .event_id = "r1"}).status.ok());  // an id of another kind
  EXPECT_EQ(small.store->attributes_of(small.customer("ann"))->values.at("city").text(), "Kiel");
}

TEST(DurableListener, SeesWhatIsStoredInOrderAndBeforeAnybodyIsTold) {
  SmallStore small;
  small.store.reset();
  std::vector<std::string> seen;
  std::atomic<uint64_t> newest{0};
  small.options.listener = [&](const DurableGroup& group) {
    for (const DurableEvent& event : group.events) {
      EXPECT_GT(event.event.sequence, newest);
      newest = event.event.sequence;
      EXPECT_EQ(event.customer, small.customer(std::string(event.customer_id)));  // durable, so that it can be read
      seen.push_back(std::string(event.customer_id) + " " + std::string(event.item_id) + " " + std::string(event.type));
    }
    for (const DurableAttributes& attributes : group.attributes) {
      newest = attributes.sequence;
      seen.push_back(std::string(attributes.said->customer_id) + " city=" + attributes.said->values->at("city").text());
    }
    EXPECT_EQ(group.newest_sequence, newest);
  };
  small.close();
  small.open();
  const SaidEvent tea{.customer = "ann", .item = "tea", .event_id = "e1"};
  EXPECT_EQ(small.append_one(tea).sequence, newest);
  small.append_one(tea);
  small.append_one({.customer = "bob", .item = "milk", .type = "view"});
  small.set_attributes("ann", {{"city", "Bonn"}});
  EXPECT_THAT(seen, ElementsAre("ann tea purchase", "bob milk view", "ann city=Bonn"));
}

TEST(GroupCommit, ManyCallersAreEachAnsweredOnceWithTheirOwnRows) {
  SmallStore small;
  constexpr int kCallers = 8, kBatches = 20, kRows = 50;
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c)
    callers.emplace_back([&small, c] {
      for (int b = 0; b < kBatches; ++b) {
        std::vector<SaidEvent> said;
        for (int r = 0; r < kRows; ++r)
          said.push_back({.customer = "c" + std::to_string(r), .item = "i" + std::to_string(c), .event_id = std::to_string(b * kRows + r)});
        // Every caller uses the same ids with an item of its own: one of them gets to store it.
        for (const Outcome& outcome : small.append(said)) EXPECT_TRUE(outcome.status.ok() || outcome.status.code() == kExists);
      }
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(small.figures().events, uint64_t{kBatches * kRows});
  EXPECT_EQ(small.store->newest_sequence(), uint64_t{kBatches * kRows});
  size_t read = 0;
  ASSERT_TRUE(small.store->events()
                  .scan({},
                        [&](auto, auto events) {
                          read += events.size();
                          return true;
                        })
                  .ok());
  EXPECT_EQ(read, size_t{kBatches * kRows});
}

TEST(GroupCommit, WhatWasTakenIsWrittenBeforeTheStoreCloses) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea"};
  const NewEvent event = said.view();
  std::atomic<int> answers{0};
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(small.store->append({&event, 1}, [&](auto outcomes) { answers += outcomes[0].status.ok(); }).ok());
  small.reopen();
  EXPECT_EQ(answers, 100);
  EXPECT_EQ(small.events_of("ann").size(), 100u);
}

TEST(GroupCommit, WhatIsUnwantedWhenItsTurnComesIsAnsweredAndNotWritten) {
  SmallStore small;
  const SaidEvent said{.customer = "ann", .item = "tea", .event_id = "e1"}, other{.customer = "bob", .item = "tea"};
  const std::vector<NewEvent> events{said.view(), other.view()};
  std::vector<absl::Status> outcomes;
  int asked = 0;
  const auto call = [&](const absl::Status& why) {
    std::promise<void> done;
    const auto take = [&](std::span<const Outcome> of) {
      for (const Outcome& one : of) outcomes.push_back(one.status);
      done.set_value();
    };
    const auto unwanted = [&asked, why] {
      ++asked;
      return why;
    };
    ASSERT_TRUE(small.store->append(events, take, unwanted).ok());
    done.get_future().wait();
  };
  const absl::Status gone = absl::CancelledError("gone");
  call(gone);
  EXPECT_EQ(small.customer("ann"), 0u);
  call(absl::OkStatus());
  EXPECT_EQ(small.events_of("ann").size(), 1u);
  EXPECT_EQ(small.events_of("ann")[0].sequence, 1u);
  EXPECT_THAT(outcomes, ElementsAre(gone, gone, absl::OkStatus(), absl::OkStatus()));
  EXPECT_EQ(asked, 2);
}

// The writer is held in its listener, so that what waits is what the test says.
TEST(CommitQueue, TakesAsMuchAsItsBoundsSayAndRefusesTheNext) {
  SmallStore small;
  small.close();
  std::promise<void> held, go_on;
  std::atomic<bool> first{true};
  small.options.queue.max_rows = 6;
  small.options.listener = [&](const DurableGroup&) {
    if (!first.exchange(false)) return;
    held.set_value();
    go_on.get_future().wait();
  };
  small.open();
  const SaidEvent said{.customer = "ann", .item = "tea"};
  const std::vector<NewEvent> three(3, said.view());
  std::atomic<int> answers{0};
  const auto count = [&](std::span<const Outcome>) { ++answers; };
  ASSERT_TRUE(small.store->append(three, count).ok());
  held.get_future().wait();
  EXPECT_TRUE(small.store->append(three, count).ok());
  EXPECT_TRUE(small.store->append(three, count).ok());
  EXPECT_EQ(small.store->append({three.data(), 1}, count).code(), absl::StatusCode::kResourceExhausted);
  go_on.set_value();
  small.reopen();
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(small.events_of("ann").size(), 9u);
}

TEST(EventStore, CountsWhatItHolds) {
  SmallStore small;
  small.append(
      {{.customer = "ann", .item = "tea"}, {.customer = "ann", .item = "milk", .type = "view"}, {.customer = "bob", .item = "tea"}});
  small.reopen();
  const StoreFigures stats = small.figures();
  EXPECT_EQ(stats.events, 3u);
  EXPECT_EQ(stats.customers, 2u);
  EXPECT_EQ(stats.items, 2u);
  EXPECT_EQ(stats.event_types, 2u);
  EXPECT_EQ(stats.newest_sequence, 3u);
  EXPECT_GT(stats.bytes(), 0u);
}

}  // namespace
}  // namespace bouquet::server
