// Which stores are opened, which are refused, and that version 1 stays readable.
#include "server/event_store/store_database.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "server/catalog_store.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string refusal(const std::string& folder) {
  const auto refused = StoreDatabase::open(folder);
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
  return std::string(refused.status().message());
}

TEST(StoreDatabase, ANewerFormatIsRefusedWithWhatToDo) {
  const TemporaryFolder folder;
  {
    const auto database = StoreDatabase::open(folder.path() + "/store");
    ASSERT_TRUE(database.ok()) << database.status();
    rocksdb::WriteBatch batch;
    batch.Put("format", "2");
    ASSERT_TRUE((*database)->write(batch).ok());
  }
  EXPECT_THAT(refusal(folder.path() + "/store"),
              ::testing::AllOf(HasSubstr("--store " + folder.path()), HasSubstr("format 2"), HasSubstr("newer version of bouquet")));
}

TEST(StoreDatabase, AFamilyOfANewerFormatIsRefused) {
  const TemporaryFolder folder;
  {
    const auto database = StoreDatabase::open(folder.path() + "/store");
    ASSERT_TRUE(database.ok()) << database.status();
    rocksdb::ColumnFamilyHandle* family = nullptr;
    ASSERT_TRUE((*database)->rocks().CreateColumnFamily({}, "wishes", &family).ok());
    ASSERT_TRUE((*database)->rocks().DestroyColumnFamilyHandle(family).ok());
  }
  EXPECT_THAT(refusal(folder.path() + "/store"), ::testing::AllOf(HasSubstr("'wishes'"), HasSubstr("newer version of bouquet")));
}

// What the first servers with --store wrote: items in the default family, and no others.
TEST(StoreDatabase, AStoreOfItemsAloneIsCompleted) {
  const TemporaryFolder folder;
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, folder.path() + "/store", &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    CatalogEntry entry;
    entry.mutable_item()->set_item_id("tea");
    entry.mutable_item()->set_price(3);
    ASSERT_TRUE(db->Put({}, "format", "1").ok());
    ASSERT_TRUE(db->Put({}, "itea", entry.SerializeAsString()).ok());
  }
  const auto database = StoreDatabase::open(folder.path() + "/store");
  ASSERT_TRUE(database.ok()) << database.status();
  const auto items = CatalogStore::open(**database);
  ASSERT_TRUE(items.ok()) << items.status();
  const auto tea = (*items)->find("tea");
  ASSERT_TRUE(tea.ok() && tea->has_value());
  EXPECT_EQ((**tea).item().price(), 3);
  const auto events = EventStore::open(**database);
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_EQ((*events)->newest_sequence(), 0u);
}

TEST(FileShares, AddUpToTheLimit) {
  for (const int64_t limit : {256, 1024, 4096, 65536, 1 << 20, 1 << 30}) {
    const FileShares shares = file_shares(limit);
    EXPECT_LE(shares.connections + shares.store + 64, limit) << limit;
    EXPECT_GE(shares.connections, limit < 1 << 20 ? limit / 2 : 1 << 19) << limit;
    EXPECT_GE(shares.store, limit < 1024 ? 32 : 192) << limit;
  }
  EXPECT_EQ(file_shares(1).connections, 1);
  EXPECT_EQ(file_shares(1).store, 32);
}

// A process with as many files open as connections may be, which may open few more: for as long as this lives.
class FullOfConnections {
 public:
  explicit FullOfConnections(int64_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(limit);
    setrlimit(RLIMIT_NOFILE, &few);
    for (int32_t c = 0; c < file_shares().connections; ++c) connections_.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  ~FullOfConnections() {
    for (const int connection : connections_) close(connection);
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> connections_;
};

constexpr int kFilesOfEach = 24;

// So many sorted files of each family that events are written to: 120 together.
absl::Status fill_with_files(SmallStore& small) {
  for (const Family family : {Family::kEvents, Family::kEventIds, Family::kCounters, Family::kNames, Family::kCustomers})
    EXPECT_TRUE(small.database->rocks().SetOptions(small.database->family(family), {{"disable_auto_compactions", "true"}}).ok());
  for (int file = 0; file < kFilesOfEach; ++file) {
    const std::string name = std::to_string(file);
    if (absl::Status s = small.append_one({.customer = "c" + name, .item = "i" + name, .event_id = name}).status; !s.ok()) return s;
    if (absl::Status s = small.database->flush(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

TEST(StoreDatabase, BesideAllConnectionsItOpensAndWritesMoreFilesThanItsShare) {
  const FullOfConnections full(256);
  SmallStore small;
  const absl::Status filled = fill_with_files(small);
  EXPECT_TRUE(filled.ok()) << filled;
  for (int file = 0; file < kFilesOfEach; ++file) EXPECT_EQ(small.told("c" + std::to_string(file)).size(), 1u) << file;
}

// The control.
TEST(StoreDatabase, WithoutAShareOfItsOwnItRunsOutOfDescriptors) {
  SmallStore small;
  small.close();
  small.database_options.max_open_files = -1;
  small.open();
  const FullOfConnections full(256);
  EXPECT_EQ(fill_with_files(small).code(), absl::StatusCode::kResourceExhausted);
}

// Fixtures in tests/server/data were written once, by the program of then, and must never be written anew: BOUQUET_WRITE_FIXTURE=NAME makes
// one that is not there yet.
void open_fixture(SmallStore& small, const std::string& name, void (*fill)(SmallStore&)) {
  const std::string fixture = std::string(BOUQUET_TEST_DATA) + "/" + name;
  small.close();
  std::filesystem::remove_all(small.folder());
  const char* write = std::getenv("BOUQUET_WRITE_FIXTURE");
  if (write != nullptr && write == name && !std::filesystem::exists(fixture)) {
    small.open();
    fill(small);
    ASSERT_TRUE(small.database->flush().ok());
    small.close();
    std::filesystem::copy(small.folder(), fixture);
  } else {
    std::filesystem::copy(fixture, small.folder());
  }
}

void fill_fixture(SmallStore& small) {
  auto items = CatalogStore::open(*small.database);
  ASSERT_TRUE(items.ok()) << items.status();
  CatalogEntry entry;
  entry.mutable_item()->set_item_id("tea");
  entry.mutable_item()->set_price(3);
  ASSERT_TRUE((*items)->write("r1", {&entry, 1}).ok());
  small.append(
      {{.customer = "ann", .item = "tea", .event_id = "e1", .time = 10},
       {.customer = "ann", .item = "milk", .event_id = "e2", .time = 5, .type = "view", .value = 2.5f, .basket = "b1", .price = .75},
       {.customer = "bob", .item = "tea", .time = -7, .value = -1}});
  small.set_attributes("ann", {{"city", "Bonn"}}, "r1");
}

TEST(StoreFixture, VersionOneIsReadAsItWasWritten) {
  SmallStore small;
  open_fixture(small, "store_v1", fill_fixture);
  {
    const auto snapshot = StoreDatabase::open_snapshot(small.folder());  // which adds nothing
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const auto events = EventStore::open(**snapshot);
    ASSERT_TRUE(events.ok()) << events.status();
    EXPECT_TRUE(absl::IsNotFound((*events)->answer_of("ann", 1).status()));
    const auto figures = read_figures(**snapshot);
    ASSERT_TRUE(figures.ok()) << figures.status();
    EXPECT_EQ(figures->answers, 0u);
  }
  small.open();
  EXPECT_TRUE(small.keep_answer("ann", 1, "inputs").status.ok());
  EXPECT_THAT(small.told("ann"), ElementsAre("milk view 2 5", "tea purchase 1 10"));
  EXPECT_THAT(small.told("bob"), ElementsAre("tea purchase -1 -7"));
  const StoredEvent milk = small.events_of("ann").at(0);
  EXPECT_EQ(milk.value, 2.5f);
  EXPECT_EQ(milk.sequence, 2u);
  EXPECT_EQ(milk.details, (EventDetails{"b1", .75, "", ""}));
  EXPECT_EQ(small.customer("ann"), 1u);
  EXPECT_EQ(small.customer("bob"), 2u);
  EXPECT_EQ(small.store->attributes_of(1)->values.at("city").text(), "Bonn");
  EXPECT_TRUE(small.append_one({.customer = "ann", .item = "tea", .event_id = "e1", .time = 10}).repeated);
  EXPECT_TRUE(small.set_attributes("ann", {{"city", "Bonn"}}, "r1").repeated);
  EXPECT_EQ(small.append_one({.customer = "eve", .item = "jam"}).sequence, 5u);
  EXPECT_EQ(small.customer("eve"), 3u);
  EXPECT_EQ(small.figures().events, 4u);
  const auto items = CatalogStore::open(*small.database);
  EXPECT_EQ((**(*items)->find("tea")).item().price(), 3);
  EXPECT_TRUE(*(*items)->knows("r1"));
}

// What version 1 writes besides: every kind of record.
void fill_full_fixture(SmallStore& small) {
  fill_fixture(small);
  small.append_one({.customer = "ann", .item = "jam", .time = 20, .recommendation_id = "an answer", .placement = "home"});
  small.keep_answer("ann", 7, "of ann");
  small.keep_answer("", 8, "of a visitor");
  small.append_one({.customer = "visitor", .item = "tea", .time = 30});
  small.merge("visitor", "ann", "m1");
  small.append_one({.customer = "guest", .item = "tea", .time = 31});
  small.merge("guest", "bob");
  small.now += kSecond;
  small.unmerge("guest", "u1");
  small.append_one({.customer = "gone", .item = "tea", .event_id = "e9", .time = 40});
  small.set_attributes("gone", {{"city", "Kiel"}}, "r2");
  small.keep_answer("gone", 9, "of somebody who is gone");
  small.now += kSecond;
  small.erase("gone", "x1");
  small.now += kSecond;
  small.set_attributes("bob", {{"city", ""}});
}

void expect_full_fixture(const StoreDatabase& database, const EventStore& store, int64_t start) {
  EXPECT_EQ(store.newest_sequence(), 14u);
  const auto of_ann = store.answer_of("ann", 7), of_visitor = store.answer_of("", 8);
  ASSERT_TRUE(of_ann.ok() && of_visitor.ok()) << of_ann.status() << of_visitor.status();
  EXPECT_EQ(of_ann->inputs(), "of ann");
  EXPECT_EQ(of_ann->name().time(), start);
  EXPECT_EQ(of_visitor->inputs(), "of a visitor");
  EXPECT_TRUE(absl::IsNotFound(store.answer_of("gone", 9).status()));
  EXPECT_THAT(store.merges().person_of("ann"), UnorderedElementsAre("ann", "visitor"));
  EXPECT_THAT(store.merges().person_of("guest"), ElementsAre("guest"));
  const auto merge = store.merge_of("visitor", 7), taken_back = store.merge_of("guest", 10);
  ASSERT_TRUE(merge.ok() && taken_back.ok()) << merge.status() << taken_back.status();
  EXPECT_EQ(merge->time, start);
  EXPECT_EQ(merge->undone, 0u);
  EXPECT_EQ(taken_back->sequence, 9u);
  EXPECT_EQ(taken_back->undone, 10u);
  const auto erasure = store.erasures().find("gone");
  ASSERT_TRUE(erasure.has_value());
  EXPECT_EQ(erasure->sequence, 13u);
  EXPECT_EQ(erasure->time, start + 2 * kSecond);
  EXPECT_FALSE(*store.find_customer("gone"));
  const auto receipt = store.receipt_of(13);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->time(), start + 2 * kSecond);
  EXPECT_EQ(receipt->events(), 1);
  EXPECT_EQ(receipt->attributes(), 1);
  EXPECT_EQ(receipt->answers(), 1);
  EXPECT_EQ(store.receipt_id_of(13), "9320a6d9-13");
  const auto figures = read_figures(database);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->events, 6u);
  EXPECT_EQ(figures->answers, 2u);
}

TEST(StoreFixture, EveryKindOfRecordOfVersionOneIsReadAsItWasWritten) {
  SmallStore small;
  const int64_t start = small.now;
  open_fixture(small, "store_v1_full", fill_full_fixture);
  small.now = start + 4 * kSecond;
  {
    const auto snapshot = StoreDatabase::open_snapshot(small.folder());
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const auto events = EventStore::open(**snapshot, small.options);
    ASSERT_TRUE(events.ok()) << events.status();
    expect_full_fixture(**snapshot, **events, start);
  }
  small.open();
  expect_full_fixture(*small.database, *small.store, start);
  EXPECT_THAT(small.told("ann"), ElementsAre("milk view 2 5", "tea purchase 1 10", "jam purchase 1 20"));
  EXPECT_EQ(small.events_of("ann").at(2).details, (EventDetails{"", std::nullopt, "an answer", "home"}));
  EXPECT_THAT(small.told("visitor"), ElementsAre("tea purchase 1 30"));
  EXPECT_FALSE(small.store->attributes_of(small.customer("bob"))->values.at("city").has_text());
  EXPECT_TRUE(small.merge("visitor", "ann", "m1").repeated);
  EXPECT_TRUE(small.unmerge("guest", "u1").repeated);
  EXPECT_TRUE(small.erase("gone", "x1").repeated);
  EXPECT_TRUE(absl::IsFailedPrecondition(small.append_one({.customer = "gone", .item = "tea", .time = 41}).status));
  EXPECT_EQ(small.append_one({.customer = "gone", .item = "tea"}).sequence, 15u);
}

}  // namespace
}  // namespace bouquet::server
