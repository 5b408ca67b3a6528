// Merging customers: who is one person with whom, for good and back again, whatever happens to the process.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <span>
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

class MergeTest : public ::testing::Test {
 protected:
  std::vector<std::string> person(const std::string& id) const { return small_.store->merges().person_of(id); }
  static void expect_refused(const Outcome& outcome, const std::vector<std::string>& said) {
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kFailedPrecondition) << outcome.status;
    for (const std::string& text : said) EXPECT_THAT(std::string(message_of(outcome.status)), HasSubstr(text));
  }

  SmallStore small_;
};

TEST_F(MergeTest, IdsAreOnePersonWhicheverIsAskedForAlsoAfterARestart) {
  small_.append({{.customer = "visitor", .item = "tea"}, {.customer = "ann", .item = "jam"}});
  EXPECT_THAT(person("visitor"), ElementsAre("visitor"));
  const Outcome outcome = small_.merge("visitor", "ann");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequence, 3u);
  EXPECT_EQ(small_.store->newest_sequence(), 3u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(person("visitor"), ElementsAre("ann", "visitor"));
    EXPECT_THAT(person("ann"), ElementsAre("ann", "visitor"));
    EXPECT_THAT(person("bob"), ElementsAre("bob"));
    EXPECT_EQ(small_.store->merges().root_of("visitor"), "ann");
    EXPECT_EQ(small_.store->merges().find("visitor")->time, small_.now);
    EXPECT_THAT(small_.events_of("visitor"), SizeIs(1)) << "events stay under their own ids";
    EXPECT_THAT(small_.events_of("ann"), SizeIs(1));
    small_.reopen();
  }
}

TEST_F(MergeTest, AChainIsOnePersonTheRootAndThoseNearToItFirst) {
  small_.merge("a", "b");
  small_.merge("b", "c");
  small_.merge("z", "c");
  small_.merge("y", "c");
  small_.merge("x", "y");
  for (int round = 0; round < 2; ++round) {
    for (const char* id : {"a", "b", "c", "x", "y", "z"}) {
      EXPECT_THAT(person(id), ElementsAre("c", "b", "z", "y", "a", "x")) << id;
      EXPECT_EQ(small_.store->merges().root_of(id), "c");
    }
    EXPECT_EQ(small_.figures().customers, 6u) << "all are known from then on";
    small_.reopen();
  }
  ASSERT_TRUE(small_.unmerge("b").status.ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(person("a"), ElementsAre("b", "a"));
    EXPECT_THAT(person("x"), ElementsAre("c", "z", "y", "x"));
    small_.reopen();
  }
}

TEST_F(MergeTest, MergingTheSameTwoAgainChangesNothing) {
  const Outcome first = small_.merge("a", "b", "r1");
  const Outcome again = small_.merge("a", "b"), by_id = small_.merge("a", "b", "r1"), other_id = small_.merge("a", "b", "r2");
  for (const Outcome& outcome : {again, by_id, other_id}) {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_TRUE(outcome.repeated);
    EXPECT_EQ(outcome.sequence, first.sequence);
  }
  EXPECT_EQ(small_.store->newest_sequence(), first.sequence);
  EXPECT_EQ(small_.merge("a", "c", "r1").status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(small_.unmerge("a", "r1").status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(small_.set_attributes("a", {{"city", "Bonn"}}, "r1").status.code(), absl::StatusCode::kAlreadyExists);
  // Late repetitions do not undo what has come since, across restarts.
  ASSERT_TRUE(small_.unmerge("a", "u1").status.ok());
  small_.reopen();
  for (const char* id : {"r1", "r2"}) EXPECT_TRUE(small_.merge("a", "b", id).repeated) << id;
  EXPECT_THAT(person("a"), ElementsAre("a"));
  const Outcome anew = small_.merge("a", "b", "r3");
  EXPECT_FALSE(anew.repeated);
  const Outcome undone_before = small_.unmerge("a", "u1");
  EXPECT_TRUE(undone_before.repeated);
  EXPECT_THAT(person("a"), ElementsAre("b", "a"));
  const auto first_merge = small_.store->merge_of("a", first.sequence), undone = small_.store->merge_of("a", undone_before.sequence);
  ASSERT_TRUE(first_merge.ok() && undone.ok());
  EXPECT_EQ(first_merge->sequence, undone->sequence);
  EXPECT_EQ(small_.store->merge_of("a", anew.sequence)->undone, 0u);
  EXPECT_EQ(small_.store->merge_of("a", 99).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(MergeTest, CirclesAndSecondMergesAreRefusedAndLeaveNothing) {
  small_.merge("a", "b");
  small_.merge("b", "c");
  const uint64_t newest = small_.store->newest_sequence();
  expect_refused(small_.merge("c", "a", "r1"), {"'c'", "'a'", "round in a circle"});
  expect_refused(small_.merge("c", "b"), {"'c'", "'b'", "round in a circle"});
  expect_refused(small_.merge("a", "z"), {"'a' is merged into 'b' already", "'z'"});
  expect_refused(small_.unmerge("c"), {"'c' is merged into nobody"});
  expect_refused(small_.unmerge("never seen"), {"merged into nobody"});
  EXPECT_EQ(small_.store->newest_sequence(), newest);
  EXPECT_EQ(small_.customer("z"), 0u);
  EXPECT_THAT(person("a"), ElementsAre("c", "b", "a"));
  // What was refused may be asked for again under the same id.
  ASSERT_TRUE(small_.unmerge("a").status.ok());
  const Outcome later = small_.merge("c", "a", "r1");
  EXPECT_TRUE(later.status.ok()) << later.status;
  EXPECT_FALSE(later.repeated);
  EXPECT_THAT(person("b"), ElementsAre("a", "c", "b"));
}

TEST_F(MergeTest, CanBeTakenBackFor30DaysAndNoLonger) {
  small_.merge("a", "c");
  small_.merge("b", "c");
  small_.now += 30 * kDay;
  const Outcome outcome = small_.unmerge("a", "u1");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequence, 3u);
  small_.now += 1;
  expect_refused(small_.unmerge("b"), {"'b' was merged into 'c' more than 30 days ago"});
  EXPECT_EQ(small_.store->check_unmerge("b").code(), absl::StatusCode::kFailedPrecondition);
  small_.reopen();
  EXPECT_THAT(person("c"), ElementsAre("c", "b"));
  EXPECT_THAT(person("a"), ElementsAre("a"));
  EXPECT_EQ(small_.store->merge_of("a", 3)->undone, 3u);
}

TEST_F(MergeTest, ErasingAnyIdErasesAllOfThePerson) {
  small_.append({{.customer = "a", .item = "tea"}, {.customer = "b", .item = "tea"}, {.customer = "c", .item = "jam"}});
  small_.append({{.customer = "other", .item = "jam"}, {.customer = "was one", .item = "jam"}});
  small_.set_attributes("a", {{"city", "Bonn"}});
  small_.merge("a", "b");
  small_.merge("b", "c");
  small_.merge("was one", "c");
  small_.merge("d", "other");
  small_.unmerge("was one");
  const Outcome outcome = small_.erase("b", "e1");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  const auto receipt = small_.store->receipt_of(outcome.sequence);
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(receipt->events(), 3);
  EXPECT_EQ(receipt->attributes(), 1);
  EXPECT_EQ(receipt->customer(), 2u) << "the one that was named";
  EXPECT_EQ(receipt->others_size(), 2);
  for (int round = 0; round < 2; ++round) {
    for (const char* id : {"a", "b", "c"}) {
      EXPECT_EQ(small_.customer(id), 0u) << id;
      EXPECT_EQ(small_.store->erasures().find(id)->sequence, outcome.sequence) << id;
      EXPECT_TRUE(small_.store->erasures().is_of(*receipt, id));
      EXPECT_THAT(person(id), ElementsAre(id));
    }
    for (const char* id : {"other", "was one", "d"}) EXPECT_FALSE(small_.store->erasures().find(id)) << id;
    EXPECT_FALSE(small_.store->erasures().is_of(*receipt, "other"));
    EXPECT_THAT(person("d"), ElementsAre("other", "d"));
    EXPECT_EQ(small_.figures().events, 2u);
    EXPECT_EQ(small_.figures().customers, 3u);
    EXPECT_EQ(small_.figures().merges, 1u);
    small_.reopen();
  }
  EXPECT_EQ(small_.append_one({.customer = "a", .item = "tea", .time = small_.now}).status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(small_.erase("b", "e1").repeated);
  // The ids come back as people who have nothing to do with each other.
  small_.now += kSecond;
  small_.append_one({.customer = "a", .item = "tea"});
  EXPECT_THAT(person("a"), ElementsAre("a"));
  EXPECT_TRUE(small_.merge("a", "other").status.ok());
}

TEST_F(MergeTest, HoldsInAStoreThatWasKilledRightAfterTheAnswer) {
  const auto person_as_killed = [&] {  // by what is on disk while the store is open
    SmallStore killed;
    killed.close();
    std::filesystem::remove_all(killed.folder());
    std::filesystem::copy(small_.folder(), killed.folder());
    std::filesystem::remove(killed.folder() + "/LOCK");
    killed.open();
    return killed.store->merges().person_of("a");
  };
  EXPECT_THAT(person_as_killed(), ElementsAre("a"));
  small_.merge("a", "b");
  EXPECT_THAT(person_as_killed(), ElementsAre("b", "a"));
  small_.unmerge("a");
  EXPECT_THAT(person_as_killed(), ElementsAre("a"));
}

TEST(MergeOnAFullDisk, IsNotAcknowledgedAndHasNotHappened) {
  const auto disk = std::make_shared<FailingDisk>();
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
  SmallStore small;
  small.close();
  small.database_options.env = env.get();
  small.open();
  small.merge("b", "c");
  disk->set_full(true);
  EXPECT_EQ(small.merge("a", "b", "r1").status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(small.merge("b", "c", "r2").status.code(), absl::StatusCode::kResourceExhausted) << "its id could not be remembered";
  EXPECT_EQ(small.unmerge("b", "u1").status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(small.store->merges().person_of("a"), ElementsAre("a"));
  EXPECT_THAT(small.store->merges().person_of("b"), ElementsAre("c", "b"));
  disk->set_full(false);
  Outcome outcome;
  for (int i = 0; i < 500 && !(outcome = small.merge("a", "b", "r1")).status.ok(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_FALSE(outcome.repeated);
  EXPECT_THAT(small.store->merges().person_of("a"), ElementsAre("c", "b", "a"));
}

// Calls that wait together are done in their order, though a merge is a group by itself.
TEST_F(MergeTest, StandsInTheOrderOfArrival) {
  const SaidEvent tea{.customer = "a", .item = "tea"}, later{.customer = "b", .item = "rye", .time = small_.now + kSecond};
  const NewEvent events[] = {tea.view(), later.view()};
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
  ASSERT_TRUE(small_.store->merge_customers({.from_customer_id = "a", .into_customer_id = "b", .request_id = {}}, count).ok());
  ASSERT_TRUE(small_.store->merge_customers({.from_customer_id = "b", .into_customer_id = "c", .request_id = {}}, count).ok());
  ASSERT_TRUE(small_.store
                  ->merge_customers({.from_customer_id = "c", .into_customer_id = "a", .request_id = {}},
                                    [](std::span<const Outcome> outcomes) {
                                      EXPECT_EQ(outcomes[0].status.code(), absl::StatusCode::kFailedPrecondition);
                                    })
                  .ok());
  ASSERT_TRUE(small_.store->erase_customer({.customer_id = "b", .request_id = {}}, count).ok());
  ASSERT_TRUE(small_.store->append({&events[1], 1}, count).ok());
  ASSERT_TRUE(small_.store
                  ->merge_customers({.from_customer_id = "b", .into_customer_id = "d", .request_id = {}},
                                    [&](std::span<const Outcome>) { done.set_value(); })
                  .ok());
  release.set_value();
  done.get_future().wait();
  EXPECT_THAT(person("a"), ElementsAre("a"));
  EXPECT_THAT(person("b"), ElementsAre("d", "b"));
  EXPECT_EQ(small_.store->receipt_of(5)->events(), 2);
  EXPECT_EQ(small_.figures().events, 1u);
  EXPECT_EQ(small_.store->newest_sequence(), 7u);
}

TEST_F(MergeTest, APersonHasNoMoreThanSoManyIds) {
  for (size_t i = 1; i < kMaxPersonIds; ++i) ASSERT_TRUE(small_.merge("id" + std::to_string(i), "id0").status.ok()) << i;
  EXPECT_THAT(person("id7"), SizeIs(kMaxPersonIds));
  expect_refused(small_.merge("one more", "id0"), {"more than 1000 ids"});
  expect_refused(small_.merge("id0", "one more"), {"more than 1000 ids"});
  ASSERT_TRUE(small_.unmerge("id5").status.ok());
  EXPECT_TRUE(small_.merge("one more", "id0").status.ok());
}

TEST_F(MergeTest, ASnapshotKnowsThoseUpToItsTime) {
  small_.merge("a", "b");
  small_.merge("c", "d");
  const auto snapshot = StoreSnapshot::open(small_.folder());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  small_.unmerge("c");
  small_.merge("b", "z");
  EXPECT_EQ((*snapshot)->merges().root_of("a"), "b");
  EXPECT_THAT(*(*snapshot)->taken_apart_since(0), IsEmpty());
  const auto later = StoreSnapshot::open(small_.folder());
  ASSERT_TRUE(later.ok());
  EXPECT_EQ((*later)->merges().root_of("a"), "z");
  EXPECT_THAT(*(*later)->taken_apart_since(2), ElementsAre("d"));
  EXPECT_THAT(*(*later)->taken_apart_since(1), IsEmpty()) << "they were not one then";
  EXPECT_THAT(*(*later)->taken_apart_since(3), IsEmpty());
}

// What stores were before there were merges.
TEST(StoreOfVersionOne, HasNoMergesAndCanHaveSome) {
  TemporaryFolder place;
  const std::string fixture = std::string(BOUQUET_TEST_DATA) + "/store_v1";
  std::filesystem::copy(fixture, place.path() + "/store");
  const auto snapshot = StoreSnapshot::open(place.path() + "/store");
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_TRUE((*snapshot)->merges().empty());
  EXPECT_THAT(*(*snapshot)->taken_apart_since(0), IsEmpty());
  SmallStore small;
  small.close();
  std::filesystem::remove_all(small.folder());
  std::filesystem::copy(fixture, small.folder());
  small.open();
  EXPECT_TRUE(small.merge("ann", "bob").status.ok());
  small.reopen();
  EXPECT_THAT(small.store->merges().person_of("ann"), ElementsAre("bob", "ann"));
  EXPECT_THAT(small.told("ann"), ElementsAre("milk view 2 5", "tea purchase 1 10"));
}

}  // namespace
}  // namespace bouquet::server
