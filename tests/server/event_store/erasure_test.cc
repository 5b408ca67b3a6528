// Erasing customers: everything of them goes, whatever happens to the process, and the id may come back as somebody new.
#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/errors.h"
#include "server/event_store/store_snapshot.h"
#include "tests/server/event_store/failing_disk.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Whether any key or value of the family has the text.
bool holds(const StoreDatabase& database, Family family, const std::string& text) {
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator({}, database.family(family)));
  for (at->SeekToFirst(); at->Valid(); at->Next())
    if (at->key().ToString().find(text) != std::string::npos || at->value().ToString().find(text) != std::string::npos) return true;
  return false;
}

class ErasureTest : public ::testing::Test {
 protected:
  void SetUp() override { fill(small_); }
  static void fill(SmallStore& small) {
    small.append({{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5 * kSecond, .basket = "basket-of-ann"},
                  {.customer = "bob", .item = "tea", .time = 3 * kSecond},
                  {.customer = "ann", .item = "jam", .time = 2 * kSecond}});
    small.set_attributes("ann", {{"city", "Bonn"}, {"tier", "gold"}});
    small.set_attributes("bob", {{"city", "Rome"}});
  }
  static void expect_ann_is_gone(SmallStore& small) {
    EXPECT_EQ(small.customer("ann"), 0u);
    EXPECT_THAT(small.told("bob"), ElementsAre("tea purchase 1 3000000"));
    EXPECT_EQ(small.store->attributes_of(small.customer("bob"))->values.at("city").text(), "Rome");
    std::vector<StoredEvent> left;
    EXPECT_TRUE(small.store->events().events_of(1, {}, left).ok());
    EXPECT_THAT(left, IsEmpty());
    EXPECT_TRUE(small.store->attributes_of(1)->values.empty());
    EXPECT_EQ(small.figures().events, 1u);
    EXPECT_EQ(small.figures().customers, 1u);
    EXPECT_TRUE(small.store->erasures().find("ann"));
    EXPECT_FALSE(small.store->erasures().find("bob"));
  }

  SmallStore small_;
};

TEST_F(ErasureTest, TakesEverythingOfTheCustomerAndNothingOfOthersForGood) {
  EXPECT_FALSE(small_.store->erasures().find("ann"));
  const Outcome outcome = small_.erase("ann");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequence, 6u);
  EXPECT_EQ(small_.store->newest_sequence(), 6u);
  expect_ann_is_gone(small_);
  small_.reopen();
  expect_ann_is_gone(small_);
  EXPECT_EQ(small_.store->erasures().find("ann")->sequence, 6u);
  EXPECT_EQ(small_.store->erasures().find("ann")->time, small_.now);
}

TEST_F(ErasureTest, TheReceiptSaysWhatWentAndNotWho) {
  const Outcome outcome = small_.erase("ann");
  const auto receipt = small_.store->receipt_of(outcome.sequence);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->time(), small_.now);
  EXPECT_EQ(receipt->customer(), 1u);
  EXPECT_EQ(receipt->events(), 2);
  EXPECT_EQ(receipt->attributes(), 2);
  EXPECT_EQ(small_.store->receipt_id_of(outcome.sequence), small_.database->identity().substr(0, 8) + "-6");
  EXPECT_EQ(small_.store->receipt_of(5).status().code(), absl::StatusCode::kNotFound);
  for (const Family family : {Family::kCustomers, Family::kEvents, Family::kAttributes, Family::kErasures, Family::kCounters}) {
    EXPECT_FALSE(holds(*small_.database, family, "ann"));
    EXPECT_FALSE(holds(*small_.database, family, "Bonn"));
  }
  EXPECT_TRUE(holds(*small_.database, Family::kCustomers, "bob"));
  EXPECT_TRUE(holds(*small_.database, Family::kAttributes, "Rome"));
}

TEST_F(ErasureTest, HoldsInAStoreThatWasKilledRightAfterTheAnswer) {
  const auto customer_as_killed = [&] {  // by what is on disk while the store is open
    SmallStore killed;
    killed.close();
    std::filesystem::remove_all(killed.folder());
    std::filesystem::copy(small_.folder(), killed.folder());
    std::filesystem::remove(killed.folder() + "/LOCK");
    killed.open();
    return killed.customer("ann");
  };
  EXPECT_EQ(customer_as_killed(), 1u);
  small_.erase("ann");
  EXPECT_EQ(customer_as_killed(), 0u);
}

TEST_F(ErasureTest, TheIdComesBackAsSomebodyNew) {
  small_.erase("ann");
  const int64_t erased_at = small_.now;
  small_.now += 2 * kSecond;
  // In flight when the customer was erased, or sent again: with or without an event id, kept before or not.
  for (const SaidEvent& late : {SaidEvent{.customer = "ann", .item = "tea", .time = erased_at},
                                SaidEvent{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5 * kSecond},
                                SaidEvent{.customer = "ann", .item = "oil", .event_id = "e9", .time = 1}}) {
    const Outcome outcome = small_.append_one(late);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(message_of(outcome.status)), HasSubstr("before the customer was erased"));
  }
  EXPECT_EQ(small_.customer("ann"), 0u);
  EXPECT_TRUE(small_.append_one({.customer = "bob", .item = "oil", .time = 1}).status.ok()) << "others may be late";
  EXPECT_TRUE(small_.append_one({.customer = "ann", .item = "oil", .time = erased_at + 1}).status.ok());
  EXPECT_TRUE(small_.append_one({.customer = "ann", .item = "rye"}).status.ok());
  small_.set_attributes("ann", {{"city", "Oslo"}});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(small_.customer("ann"), 3u) << "a number is never given twice";
    EXPECT_THAT(small_.events_of("ann"), SizeIs(2));
    EXPECT_THAT(small_.store->attributes_of(3)->values, SizeIs(1));
    EXPECT_TRUE(small_.store->erasures().find("ann"));
    small_.reopen();
  }
}

TEST_F(ErasureTest, OfSomebodyWhomTheStoreHasNeverMetIsRememberedAllTheSame) {
  const Outcome outcome = small_.erase("eve");
  ASSERT_TRUE(outcome.status.ok());
  EXPECT_EQ(small_.store->receipt_of(outcome.sequence)->customer(), 0u);
  EXPECT_TRUE(small_.store->erasures().find("eve"));
  EXPECT_EQ(small_.figures().customers, 2u);
  EXPECT_EQ(small_.figures().events, 3u);
}

TEST_F(ErasureTest, ARepeatedRequestErasesNothingThatHasComeSince) {
  const Outcome first = small_.erase("ann", "r1");
  small_.now += kSecond;
  small_.append_one({.customer = "ann", .item = "oil"});
  const Outcome again = small_.erase("ann", "r1");
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_THAT(small_.events_of("ann"), SizeIs(1));
  EXPECT_EQ(small_.erase("bob", "r1").status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(small_.events_of("bob"), SizeIs(1));
  EXPECT_FALSE(small_.erase("ann", "r2").repeated);
  EXPECT_THAT(small_.events_of("ann"), IsEmpty());
}

// Calls that wait together are done in their order, though an erasure is never in one group with others.
TEST_F(ErasureTest, StandsInTheOrderOfArrival) {
  const SaidEvent before{.customer = "ann", .item = "oil"}, after{.customer = "ann", .item = "rye", .time = small_.now + kSecond};
  const NewEvent events[] = {before.view(), after.view()};
  std::promise<void> held, release, done;
  const auto count = [](std::span<const Outcome> outcomes) { EXPECT_TRUE(outcomes[0].status.ok()) << outcomes[0].status; };
  ASSERT_TRUE(small_.store
                  ->append({&events[0], 1},
                           [&](std::span<const Outcome>) {
                             held.set_value();
                             release.get_future().wait();
                           })
                  .ok());
  held.get_future().wait();  // the writer waits, so that the rest arrives before it goes on
  ASSERT_TRUE(small_.store->append({&events[0], 1}, count).ok());
  ASSERT_TRUE(small_.store->erase_customer({.customer_id = "ann", .request_id = {}}, count).ok());
  ASSERT_TRUE(small_.store->erase_customer({.customer_id = "ann", .request_id = {}}, count).ok());
  ASSERT_TRUE(small_.store->append({&events[1], 1}, [&](std::span<const Outcome>) { done.set_value(); }).ok());
  release.set_value();
  done.get_future().wait();
  ASSERT_THAT(small_.events_of("ann"), SizeIs(1));
  EXPECT_EQ(small_.store->item_ids().name(small_.events_of("ann")[0].item), "rye");
  EXPECT_EQ(small_.store->erasures().find("ann")->sequence, 9u);
  EXPECT_EQ(small_.store->receipt_of(8)->events(), 4);
  EXPECT_EQ(small_.store->receipt_of(9)->events(), 0);
  EXPECT_EQ(small_.figures().events, 2u);
}

TEST(ErasureOnAFullDisk, IsNotAcknowledgedAndHasNotHappened) {
  const auto disk = std::make_shared<FailingDisk>();
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
  SmallStore small;
  small.close();
  small.database_options.env = env.get();
  small.open();
  small.append({{.customer = "ann", .item = "tea"}});
  disk->set_full(true);
  EXPECT_EQ(small.erase("ann", "r1").status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(small.store->erasures().find("ann"));
  EXPECT_THAT(small.events_of("ann"), SizeIs(1));
  disk->set_full(false);
  Outcome outcome;
  for (int i = 0; i < 500 && !(outcome = small.erase("ann", "r1")).status.ok(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_FALSE(outcome.repeated);
  EXPECT_TRUE(small.store->erasures().find("ann"));
}

TEST_F(ErasureTest, ASnapshotKnowsThoseUpToItsTime) {
  small_.erase("ann");
  const auto snapshot = StoreSnapshot::open(small_.folder());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  small_.erase("bob");
  EXPECT_EQ((*snapshot)->erasures().find("ann")->sequence, 6u);
  EXPECT_FALSE((*snapshot)->erasures().find("bob"));
  std::vector<std::string> customers;
  ASSERT_TRUE((*snapshot)
                  ->read([&](const StoreSnapshot::Row& row) {
                    customers.emplace_back(row.customer_id);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(customers, ElementsAre("bob"));
}

// What stores were before there were erasures.
TEST(StoreSnapshotOfAnOlderStore, HasNoErasures) {
  TemporaryFolder place;
  std::filesystem::copy(std::string(BOUQUET_TEST_DATA) + "/store_v1", place.path() + "/store");
  const auto snapshot = StoreSnapshot::open(place.path() + "/store");
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_TRUE((*snapshot)->erasures().empty());
  EXPECT_EQ((*snapshot)->newest_sequence(), 4u);
}

}  // namespace
}  // namespace bouquet::server
