// R9: a full disk loses nothing that was acknowledged, refuses what it cannot keep, lets reads go on, and takes writes again when it can.
#include "server/catalog_store.h"
#include "tests/server/event_store/failing_disk.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

class DiskFull : public ::testing::Test {
 protected:
  void SetUp() override {
    small_.close();
    small_.database_options.env = env_.get();
    small_.open();
  }
  const std::shared_ptr<FailingDisk> disk_ = std::make_shared<FailingDisk>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  SmallStore small_;
};

TEST_F(DiskFull, NothingIsAcknowledgedAndNothingIsLost) {
  int64_t acknowledged = 0, refused = 0;
  const auto event = [&](int i) {
    return SaidEvent{.customer = "c" + std::to_string(i % 5), .item = "i" + std::to_string(i), .event_id = "e" + std::to_string(i)};
  };
  int i = 0;
  for (int round = 0; round < 2; ++round) {
    for (int n = 0; n < 50; ++n, ++i) {
      ASSERT_TRUE(small_.append_one(event(i)).status.ok());
      ++acknowledged;
    }
    disk_->set_full(true);
    for (int n = 0; n < 20; ++n) {
      const Outcome outcome = small_.append_one(event(i));
      EXPECT_EQ(outcome.status.code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(outcome.sequence, 0u);
      ++refused;
      // What was acknowledged before is still acknowledged, and can be read.
      EXPECT_TRUE(small_.append_one(event(0)).repeated);
      EXPECT_EQ(small_.events_of("c0").size(), static_cast<size_t>((acknowledged + 4) / 5));
    }
    EXPECT_TRUE(disk_->noticed);
    disk_->set_full(false);
    EXPECT_LT(small_.append_until_taken(event(i)), std::chrono::seconds(10));
    ++i;
    ++acknowledged;
    if (round == 0) small_.reopen();
  }
  EXPECT_EQ(small_.store->newest_sequence(), static_cast<uint64_t>(acknowledged));
  small_.reopen();
  EXPECT_EQ(small_.figures().events, static_cast<uint64_t>(acknowledged));
  std::map<uint64_t, std::string> by_sequence;
  ASSERT_TRUE(small_.store->events()
                  .scan({},
                        [&](auto, std::span<const StoredEvent> events) {
                          for (const StoredEvent& e : events) by_sequence[e.sequence] = small_.store->item_ids().name(e.item);
                          return true;
                        })
                  .ok());
  ASSERT_EQ(by_sequence.size(), static_cast<size_t>(acknowledged));
  for (const auto& [sequence, item] : by_sequence) EXPECT_EQ(item, "i" + std::to_string(sequence - 1));
}

TEST_F(DiskFull, TheLastBytesAreLeftAlone) {
  ASSERT_TRUE(small_.append_one({.customer = "ann", .item = "tea"}).status.ok());
  disk_->free = small_.database_options.reserve_bytes - 1;
  const Outcome refused = small_.append_one({.customer = "ann", .item = "milk"});
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status.message()), ::testing::HasSubstr("make room"));
  disk_->free = small_.database_options.reserve_bytes;
  EXPECT_TRUE(small_.append_one({.customer = "ann", .item = "jam"}).status.ok());
  EXPECT_EQ(small_.store->newest_sequence(), 2u);
}

TEST_F(DiskFull, AKilledStoreComesBackWithoutWhatWasRefused) {
  ASSERT_TRUE(small_.append_one({.customer = "ann", .item = "tea", .event_id = "e1"}).status.ok());
  disk_->set_full(true);
  EXPECT_FALSE(small_.append_one({.customer = "ann", .item = "milk", .event_id = "e2"}).status.ok());
  small_.close();  // still full: nothing more can be written
  disk_->set_full(false);
  small_.open();
  EXPECT_EQ(small_.events_of("ann").size(), 1u);
  EXPECT_TRUE(small_.append_one({.customer = "ann", .item = "jam", .event_id = "e3"}).status.ok());
  EXPECT_EQ(small_.events_of("ann").size(), 2u);
}

TEST_F(DiskFull, ItemsAndEventsWaitForTheSameRoom) {
  auto items = CatalogStore::open(*small_.database);
  ASSERT_TRUE(items.ok()) << items.status();
  disk_->set_full(true);
  EXPECT_FALSE(small_.append_one({.customer = "ann", .item = "tea"}).status.ok());
  EXPECT_EQ((*items)->write("r1", {}).code(), absl::StatusCode::kResourceExhausted);
  disk_->set_full(false);
  EXPECT_LT(small_.append_until_taken({.customer = "ann", .item = "tea"}), std::chrono::seconds(10));
  EXPECT_TRUE((*items)->write("r1", {}).ok());
}

}  // namespace
}  // namespace bouquet::server
