// Which stores are opened, which are refused, and that version 1 stays readable.
#include "server/event_store/store_database.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <filesystem>

#include "server/catalog_store.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

// tests/server/data/store_v1 was written by version 1 (BOUQUET_WRITE_FIXTURE below); it must never be written anew.
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
  const std::string fixture = std::string(BOUQUET_TEST_DATA) + "/store_v1";
  SmallStore small;
  small.close();
  std::filesystem::remove_all(small.folder());
  if (std::getenv("BOUQUET_WRITE_FIXTURE") != nullptr) {
    small.open();
    fill_fixture(small);
    ASSERT_TRUE(small.database->rocks().SyncWAL().ok());
    small.close();
    std::filesystem::copy(small.folder(), fixture);
  } else {
    std::filesystem::copy(fixture, small.folder());
  }
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

}  // namespace
}  // namespace bouquet::server
