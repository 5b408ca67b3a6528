// What verifying a store finds, and what it does not mind.
#include "server/event_store/store_check.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <fstream>

#include "server/event_store/event_keys.h"
#include "server/event_store/store_counters.h"
#include "server/event_store/store_figures.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void fill(SmallStore& store) {
  store.append({{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5 * kSecond},
                {.customer = "ann", .item = "jam", .time = 9 * kSecond, .type = "view"},
                {.customer = "bob", .item = "tea", .time = 7 * kSecond}});
  store.set_attributes("bob", {{"city", "Bonn"}});
}

StoreCheck check(const SmallStore& store) {
  auto check = check_store(store.folder());
  EXPECT_TRUE(check.ok()) << check.status();
  return check.ok() ? *std::move(check) : StoreCheck{};
}

// Puts an entry in a store that is sound but for it, and returns what is found.
std::vector<std::string> problems_with(Family family, const std::string& key, const std::string& value) {
  SmallStore store;
  fill(store);
  rocksdb::WriteBatch batch;
  batch.Put(store.database->family(family), key, value);
  EXPECT_TRUE(store.database->write(batch).ok());
  return check(store).problems;
}

std::string event_value(int32_t item, int32_t type) {
  std::string value;
  append_event_value({.sequence = 1, .time = 5, .item = item, .type = type, .value = 1, .details = {}}, value);
  return value;
}

TEST(StoreCheck, CountsASoundStoreBesideItsWriter) {
  SmallStore store;
  fill(store);
  const StoreCheck found = check(store);
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_EQ(found.problem_count, 0u);
  EXPECT_EQ(found.identity, store.database->identity());
  EXPECT_EQ(found.events, 3u);
  EXPECT_EQ(found.customers, 2u);
  EXPECT_EQ(found.items, 2u);
  EXPECT_EQ(found.event_types, 2u);
  EXPECT_EQ(found.attributes, 1u);
  EXPECT_EQ(found.event_ids, 1u);
  EXPECT_EQ(found.newest_sequence, 4u);
}

TEST(StoreCheck, FindsReferencesToNothing) {
  EXPECT_THAT(problems_with(Family::kEvents, event_key(3, 5, 4), event_value(0, 0)),
              ElementsAre(HasSubstr("no such customer"), HasSubstr("there are 4 events")));
  EXPECT_THAT(problems_with(Family::kEvents, event_key(1, 5, 4), event_value(2, 0)),
              ElementsAre(HasSubstr("no item number 2"), HasSubstr("there are 4 events")));
  EXPECT_THAT(problems_with(Family::kEvents, event_key(1, 5, 4), event_value(0, 2)),
              ElementsAre(HasSubstr("no event type number 2"), HasSubstr("there are 4 events")));
  EXPECT_THAT(problems_with(Family::kEvents, event_key(1, 5, 5), event_value(0, 0)),
              ElementsAre(HasSubstr("the newest is 4"), HasSubstr("there are 4 events")));
}

TEST(StoreCheck, FindsEntriesThatDoNotParse) {
  EXPECT_THAT(problems_with(Family::kEvents, event_key(1, 5 * kSecond, 1), "\xff"), ElementsAre(HasSubstr("is damaged")));
  EXPECT_THAT(problems_with(Family::kEvents, "short", "x"), Contains(HasSubstr("events: key 73686f7274")));
  EXPECT_THAT(problems_with(Family::kEventIds, std::string(16, 'x'), "short"), ElementsAre(HasSubstr("event_ids")));
  EXPECT_THAT(problems_with(Family::kNames, "i" + std::string(7, '\0') + '\5', "milk"), ElementsAre(HasSubstr("item number 5")));
  EXPECT_THAT(problems_with(Family::kCustomers, "icarl", "\1"), Contains(HasSubstr("stands for another one")));
  EXPECT_THAT(problems_with(Family::kCatalog, "itea", "\xff"), ElementsAre(HasSubstr("the entry of an item")));
  std::string attribute;
  append_fixed64(2, attribute);
  EXPECT_THAT(problems_with(Family::kAttributes, attribute + "city", "\4\xff"), ElementsAre(HasSubstr("customer number 2: is damaged")));
  EXPECT_THAT(problems_with(Family::kCounters, std::string(kCountersKey), "short"), Contains(HasSubstr("counters are damaged")));
}

TEST(StoreCheck, FindsWhatCameWithRequestsDamagedOrOfSomebodyWhoWasErased) {
  EXPECT_THAT(problems_with(Family::kAnswers, "short", "x"), ElementsAre(HasSubstr("answers: key 73686f7274 is damaged")));
  EXPECT_THAT(problems_with(Family::kAnswers, std::string(kAnswerKeyBytes, 'x'), "12345678\xff"), ElementsAre(HasSubstr("is damaged")));
  EXPECT_THAT(problems_with(Family::kAnswers, std::string(kAnswerKeyBytes, 'x'), "12345678"), ElementsAre(HasSubstr("is damaged")))
      << "of another number";
  SmallStore store;
  fill(store);
  store.keep_answer("ann", 7, "inputs");
  EXPECT_THAT(check(store).problems, IsEmpty());
  EXPECT_EQ(check(store).answers, 1u);
  store.now += 1;
  store.erase("ann");
  rocksdb::WriteBatch batch;
  LoggedAnswer logged;
  logged.mutable_name()->set_time(store.now - 1);
  logged.mutable_name()->set_log(7);
  const std::string bytes = logged.SerializeAsString();
  put_answer(*store.database, store.store->erasures().hash_of("ann"), {.customer_id = {}, .number = 7, .logged = bytes}, batch);
  ASSERT_TRUE(store.database->write(batch).ok());
  EXPECT_THAT(check(store).problems, ElementsAre(HasSubstr("of somebody who was erased since")));
}

std::string merge_key(CustomerNumber from, uint64_t sequence) {
  std::string key;
  append_fixed64(from, key);
  append_fixed64(sequence, key);
  return key;
}
std::string merge_value(CustomerNumber into, uint64_t undone = 0) {
  std::string value;
  for (const uint64_t number : {uint64_t{into}, uint64_t{5}, undone}) append_fixed64(number, value);
  return value;
}

TEST(StoreCheck, ReadsMergesAndErasures) {
  SmallStore store;
  fill(store);
  store.append_one({.customer = "eve", .item = "tea"});
  store.merge("ann", "bob");
  store.merge("eve", "bob");
  store.unmerge("eve");
  EXPECT_EQ(store.figures().merges, 1u);
  store.merge("eve", "zoe");
  const StoreCheck before = check(store);
  EXPECT_THAT(before.problems, IsEmpty());
  EXPECT_EQ(before.merges, 2u);
  EXPECT_EQ(before.erasures, 0u);
  store.erase("ann");
  store.erase("nobody");
  const StoreCheck after = check(store);
  EXPECT_THAT(after.problems, IsEmpty());
  EXPECT_EQ(after.merges, 1u);
  EXPECT_EQ(after.erasures, 2u);
  EXPECT_EQ(after.customers, 2u);
}

TEST(StoreCheck, FindsMergesThatCannotBe) {
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(1, 4), merge_value(2)), IsEmpty()) << "this one can";
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(1, 4), merge_value(3)), ElementsAre(HasSubstr("no such customer")));
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(3, 4), merge_value(1)), ElementsAre(HasSubstr("no such customer")));
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(1, 5), merge_value(2)), ElementsAre(HasSubstr("is past the newest")));
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(1, 3), merge_value(2, 3)), ElementsAre(HasSubstr("taken back before it was")));
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(9, 3), merge_value(8, 4)), IsEmpty()) << "of people who were erased since";
  EXPECT_THAT(problems_with(Family::kMerges, merge_key(1, 4), merge_value(1)), ElementsAre(HasSubstr("go round in a circle")));
  EXPECT_THAT(problems_with(Family::kMerges, "short", merge_value(2)), ElementsAre(HasSubstr("key 73686f7274 is damaged")));
}

TEST(StoreCheck, FindsErasuresThatCannotBe) {
  EXPECT_THAT(problems_with(Family::kErasures, "t" + std::string(32, 'x'), merge_key(4, 5)), ElementsAre(HasSubstr("has no receipt")));
  EXPECT_THAT(problems_with(Family::kErasures, "t" + std::string(32, 'x'), "short"), ElementsAre(HasSubstr("is damaged")));
  EXPECT_THAT(problems_with(Family::kErasures, "r" + std::string(7, '\0') + '\4', "\xff"), ElementsAre(HasSubstr("is damaged")));
  EXPECT_THAT(problems_with(Family::kErasures, "r" + std::string(7, '\0') + '\4', "\x2a\1x"),
              ElementsAre(HasSubstr("receipt number 4 is of an id whose hash is not there")));
  EXPECT_THAT(problems_with(Family::kErasures, "other", "x"), ElementsAre(HasSubstr("is damaged")));
}

TEST(StoreCheck, SaysInWhichFileABlockIsDamaged) {
  SmallStore store;
  fill(store);
  ASSERT_TRUE(store.database->rocks().Flush({}, store.database->family(Family::kEvents)).ok());
  std::vector<rocksdb::LiveFileMetaData> files;
  store.database->rocks().GetLiveFilesMetaData(&files);
  std::string damaged;
  for (const auto& file : files)
    if (file.column_family_name == "events") damaged = file.relative_filename;
  ASSERT_FALSE(damaged.empty());
  store.close();
  {
    std::fstream stream(store.folder() + "/" + damaged, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(3);
    stream.put('\x7e');
  }
  EXPECT_THAT(check(store).problems, Contains(HasSubstr(damaged)));
}

TEST(StoreCheck, OfNothingSaysSo) {
  const TemporaryFolder place;
  EXPECT_EQ(check_store(place.path()).status().code(), absl::StatusCode::kNotFound);
}

TEST(StoreFigures, AreThoseOfTheStore) {
  SmallStore store;
  const auto none = read_figures(*store.database);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->oldest_time, 0);
  EXPECT_EQ(none->newest_time, 0);
  fill(store);
  const auto snapshot = StoreDatabase::open_snapshot(store.folder());
  ASSERT_TRUE(snapshot.ok());
  for (const StoreDatabase* database : {store.database.get(), snapshot->get()}) {
    const auto figures = read_figures(*database);
    ASSERT_TRUE(figures.ok()) << figures.status();
    EXPECT_EQ(figures->events, 3u);
    EXPECT_EQ(figures->customers, 2u);
    EXPECT_EQ(figures->items, 2u);
    EXPECT_EQ(figures->event_types, 2u);
    EXPECT_EQ(figures->newest_sequence, 4u);
    EXPECT_EQ(figures->oldest_time, 5 * kSecond);
    EXPECT_EQ(figures->newest_time, 9 * kSecond);
    EXPECT_GT(figures->log_bytes, 100u);
  }
}

TEST(StoreCompaction, KeepsEverythingThatIsThereAndDropsWhatIsNot) {
  SmallStore store;
  std::vector<SaidEvent> many;
  for (int i = 0; i < 2000; ++i) many.push_back({.customer = "ann", .item = "tea", .event_id = "e" + std::to_string(i), .time = i});
  store.append(many);
  store.now += 31 * kDay;  // past the window of event ids
  ASSERT_TRUE(compact(*store.database).ok());
  const StoreCheck found = check(store);
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_EQ(found.events, 2000u);
  EXPECT_EQ(found.event_ids, 0u);
  EXPECT_EQ(store.events_of("ann").size(), 2000u);
  std::atomic<bool> stop{true};
  EXPECT_EQ(compact(*store.database, &stop).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(store.events_of("ann").size(), 2000u);
}

}  // namespace
}  // namespace bouquet::server
