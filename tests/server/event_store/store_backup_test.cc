// Backups: what is in them, that damage is refused, and that a restored store is the one that was backed up.
#include "server/event_store/store_backup.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "server/event_store/store_check.h"
#include "server/event_store/store_snapshot.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const LaterErasures kFromBackups{.store = {}, .from_backups_alone = true};

struct BackedUp : SmallStore {
  std::string backups() const { return place.path() + "/backups"; }
  std::string restored() const { return place.path() + "/restored"; }
  Backup back_up_now() {
    const auto backup = back_up(*database, backups());
    EXPECT_TRUE(backup.ok()) << backup.status();
    return backup.value_or(Backup{});
  }
};

// How often each basket id stands in the store.
std::map<std::string, int> baskets(const std::string& folder) {
  std::map<std::string, int> out;
  const auto snapshot = StoreSnapshot::open(folder);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return out;
  const absl::Status read = (*snapshot)->read([&](const StoreSnapshot::Row& row) {
    ++out[row.event->details.basket_id];
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  return out;
}

std::vector<fs::path> files_below(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

void flip(const fs::path& file, uint64_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char flipped = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(flipped);
}

TEST(StoreBackup, RestoresWhatWasThereAndNothingLater) {
  BackedUp store;
  store.append({{.customer = "ann", .item = "tea", .event_id = "e1", .basket = "b1"}, {.customer = "bob", .item = "jam", .basket = "b2"}});
  store.set_attributes("ann", {{"city", "Bonn"}});
  const std::string identity = store.database->identity();
  const Backup backup = store.back_up_now();
  EXPECT_EQ(backup.number, 1u);
  EXPECT_EQ(backup.sequence, 3u);
  EXPECT_EQ(backup.store_identity, identity);
  store.append_one({.customer = "ann", .item = "oil", .basket = "b3"});
  store.close();
  const auto restored = restore_backup(store.backups(), 0, store.restored(), kFromBackups);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->backup.number, 1u);
  EXPECT_EQ(baskets(store.restored()), (std::map<std::string, int>{{"b1", 1}, {"b2", 1}}));
  const auto check = check_store(store.restored());
  ASSERT_TRUE(check.ok());
  EXPECT_EQ(check->problem_count, 0u);
  EXPECT_EQ(check->attributes, 1u);
  EXPECT_EQ(check->event_ids, 1u);
}

// A model that was trained on the old store knows arrivals up to a number that the restored one will give to others.
TEST(StoreBackup, ARestoredStoreIsAnotherOne) {
  BackedUp store;
  store.append_one({.customer = "ann", .item = "tea", .basket = "b1"});
  const Backup backup = store.back_up_now();
  ASSERT_TRUE(restore_backup(store.backups(), 0, store.restored(), kFromBackups).ok());
  auto restored = StoreDatabase::open(store.restored());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->identity().size(), 32u);
  EXPECT_NE((*restored)->identity(), backup.store_identity);
  const auto mixed = back_up(**restored, store.backups());
  EXPECT_EQ(mixed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(mixed.status().message()), HasSubstr("another store"));
  EXPECT_EQ(list_backups(store.backups())->size(), 1u);
}

TEST(StoreBackup, CopiesOnlyWhatIsNew) {
  BackedUp store;
  std::vector<SaidEvent> many;
  std::mt19937 random(7);
  for (int i = 0; i < 30000; ++i)
    many.push_back({.customer = "c" + std::to_string(i % 50), .item = "i" + std::to_string(i % 9), .basket = std::to_string(random())});
  store.append(many);
  store.back_up_now();
  const auto size = [&] {
    uint64_t bytes = 0;
    for (const fs::path& file : files_below(store.backups())) bytes += fs::file_size(file);
    return bytes;
  };
  const uint64_t first = size();
  store.append_one({.customer = "ann", .item = "tea", .basket = "last"});
  EXPECT_EQ(store.back_up_now().number, 2u);
  EXPECT_LT(size() - first, first / 2);
  EXPECT_EQ(list_backups(store.backups())->size(), 2u);
  ASSERT_TRUE(restore_backup(store.backups(), 1, store.restored(), kFromBackups).ok());
  EXPECT_FALSE(baskets(store.restored()).contains("last"));
  ASSERT_TRUE(restore_backup(store.backups(), 2, store.restored() + "2", kFromBackups).ok());
  EXPECT_TRUE(baskets(store.restored() + "2").contains("last"));
}

TEST(StoreBackup, WhileAWriterWritesHasEverythingAcknowledgedBeforeOnce) {
  BackedUp store;
  std::atomic<int> acknowledged{0};
  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    for (int i = 0; !stop.load(); ++i) {
      ASSERT_TRUE(
          store
              .append_one(
                  {.customer = "c" + std::to_string(i % 5), .item = "tea", .event_id = std::to_string(i), .basket = std::to_string(i)})
              .status.ok());
      acknowledged.store(i + 1);
    }
  });
  std::vector<int> before;
  for (int b = 1; b <= 5; ++b) {
    while (acknowledged.load() < 50 * b) std::this_thread::yield();
    before.push_back(acknowledged.load());
    store.back_up_now();
  }
  stop.store(true);
  writer.join();
  for (uint32_t b = 1; b <= 5; ++b) {
    const std::string folder = store.restored() + std::to_string(b);
    const auto restored = restore_backup(store.backups(), b, folder, kFromBackups);
    ASSERT_TRUE(restored.ok()) << restored.status();
    const auto found = baskets(folder);
    for (int i = 0; i < before[b - 1]; ++i) EXPECT_TRUE(found.contains(std::to_string(i))) << "event " << i << " of backup " << b;
    for (const auto& [basket, count] : found) EXPECT_EQ(count, 1) << basket;
    EXPECT_LT(static_cast<int>(found.size()), acknowledged.load() + 1);
  }
}

TEST(StoreBackup, AStoppedOneLeavesNothing) {
  BackedUp store;
  store.append_one({.customer = "ann", .item = "tea", .basket = "b1"});
  std::atomic<bool> stop{true};
  EXPECT_EQ(back_up(*store.database, store.backups(), &stop).status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(list_backups(store.backups())->empty());
  EXPECT_EQ(store.back_up_now().sequence, 1u);
}

TEST(StoreRestore, RefusesABackupWithAFlippedByteInAnyFile) {
  BackedUp store;
  store.append({{.customer = "ann", .item = "tea", .event_id = "e1", .basket = "b1"}, {.customer = "bob", .item = "jam", .basket = "b2"}});
  store.back_up_now();
  store.close();
  int tried = 0;
  for (const fs::path& file : files_below(store.backups())) {
    if (file.parent_path().filename() == "meta" || fs::file_size(file) == 0) continue;  // the next test
    for (const uint64_t at : {uint64_t{0}, fs::file_size(file) / 2, fs::file_size(file) - 1}) {
      flip(file, at);
      const auto restored = restore_backup(store.backups(), 0, store.restored(), kFromBackups);
      EXPECT_EQ(restored.status().code(), absl::StatusCode::kDataLoss) << file << " at " << at << ": " << restored.status();
      EXPECT_FALSE(fs::exists(store.restored()));
      flip(file, at);
      ++tried;
    }
  }
  EXPECT_GT(tried, 15);
  EXPECT_TRUE(restore_backup(store.backups(), 0, store.restored(), kFromBackups).ok());  // all of it is as it was
  for (const auto& entry : fs::directory_iterator(store.place.path())) EXPECT_THAT(entry.path().string(), Not(HasSubstr("restoring")));
}

// A flipped digit of the time alone is not seen: it says nothing of what is in the backup.
TEST(StoreRestore, OfAFlippedByteInTheListOfFilesIsRefusedOrRight) {
  BackedUp store;
  store.append_one({.customer = "ann", .item = "tea", .basket = "b1"});
  store.back_up_now();
  store.close();
  const fs::path meta = store.backups() + "/meta/1";
  uint64_t refused = 0;
  for (uint64_t at = 0; at < fs::file_size(meta); at += 5) {
    flip(meta, at);
    const std::string folder = store.restored() + std::to_string(at);
    if (restore_backup(store.backups(), 0, folder, kFromBackups).ok())
      EXPECT_EQ(baskets(folder), (std::map<std::string, int>{{"b1", 1}})) << at;
    else
      ++refused;
    flip(meta, at);
  }
  EXPECT_GT(refused, fs::file_size(meta) / 5 * 8 / 10);
}

TEST(StoreRestore, NeverPassesTheOneBeforeOffForADamagedNewestOne) {
  BackedUp store;
  store.append_one({.customer = "ann", .item = "tea", .basket = "b1"});
  store.back_up_now();
  store.append_one({.customer = "ann", .item = "jam", .basket = "b2"});
  store.back_up_now();
  fs::resize_file(store.backups() + "/meta/2", 10);
  const auto restored = restore_backup(store.backups(), 0, store.restored(), kFromBackups);
  EXPECT_EQ(restored.status().code(), absl::StatusCode::kDataLoss) << restored.status();
  EXPECT_THAT(std::string(restored.status().message()), HasSubstr("2"));
}

TEST(StoreRestore, IntoAFolderThatIsNotEmptyIsRefused) {
  BackedUp store;
  store.append_one({.customer = "ann", .item = "tea", .basket = "b1"});
  store.back_up_now();
  const auto onto_itself = restore_backup(store.backups(), 0, store.folder(), kFromBackups);
  EXPECT_EQ(onto_itself.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(onto_itself.status().message()), HasSubstr("not an empty folder"));
  std::ofstream(store.restored()) << "a file";
  EXPECT_EQ(restore_backup(store.backups(), 0, store.restored(), kFromBackups).status().code(), absl::StatusCode::kInvalidArgument);
  fs::remove(store.restored());
  fs::create_directory(store.restored());
  EXPECT_TRUE(restore_backup(store.backups(), 0, store.restored() + "/", kFromBackups).ok());
  EXPECT_EQ(baskets(store.restored()).size(), 1u);
}

TEST(StoreRestore, SaysWhatIsNotThere) {
  BackedUp store;
  EXPECT_EQ(restore_backup(store.backups(), 0, store.restored(), kFromBackups).status().code(), absl::StatusCode::kNotFound);
  store.append_one({.customer = "ann", .item = "tea"});
  store.back_up_now();
  const auto missing = restore_backup(store.backups(), 7, store.restored(), kFromBackups);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("backup 7"));
}

}  // namespace
}  // namespace bouquet::server
