// The store read beside a server that writes.
#include "server/event_store/store_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/errors.h"
#include "server/event_store/frozen_files.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> read(const StoreSnapshot& snapshot) {
  std::vector<std::string> out;
  const absl::Status status = snapshot.read([&](const StoreSnapshot::Row& row) {
    out.push_back(std::string(row.customer_id) + " " + std::string(row.type) + " " + std::string(row.item_id) + " " +
                  std::to_string(row.event->time / kSecond));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return out;
}

TEST(StoreSnapshot, HasWhatWasAcknowledgedAndNothingLater) {
  SmallStore store;
  store.append({{.customer = "ann", .item = "tea", .time = 5 * kSecond}, {.customer = "bob", .item = "tea", .time = 3 * kSecond}});
  store.append({{.customer = "ann", .item = "jam", .time = 2 * kSecond}});
  const auto snapshot = StoreSnapshot::open(store.folder());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ((*snapshot)->newest_sequence(), 3u);
  EXPECT_EQ((*snapshot)->store_identity(), store.database->identity());
  EXPECT_EQ((*snapshot)->store_identity().size(), 32u);
  store.append({{.customer = "carl", .item = "oil", .time = 9 * kSecond}});  // the server writes on
  EXPECT_THAT(read(**snapshot), ElementsAre("ann purchase jam 2", "ann purchase tea 5", "bob purchase tea 3"));
  EXPECT_THAT(read(**snapshot), ElementsAre("ann purchase jam 2", "ann purchase tea 5", "bob purchase tea 3"));
}

// Between listing the files and opening the database the server writes everything anew.
TEST(FrozenFiles, AreReadAfterTheServerHasRemovedThem) {
  SmallStore store;
  const auto tables = [&] {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(store.folder()))
      if (file.path().extension() == ".sst") names.insert(file.path().filename());
    return names;
  };
  const auto write_out = [&] {
    ASSERT_TRUE(store.database->flush().ok());
    ASSERT_TRUE(store.database->rocks().CompactRange({}, store.database->family(Family::kEvents), nullptr, nullptr).ok());
  };
  store.append({{.customer = "ann", .item = "tea", .time = 2 * kSecond}});
  write_out();
  const auto then = tables();
  const std::string folder = std::filesystem::canonical(store.folder());
  const auto files = FrozenFiles::of(folder);
  ASSERT_TRUE(files.ok()) << files.status();
  // The first two go into the log that was the newest then, and are read with it; the last one into a log that was not there.
  store.append({{.customer = "ann", .item = "milk", .time = kSecond}, {.customer = "ann", .item = "jam", .time = 3 * kSecond}});
  write_out();
  store.append({{.customer = "ann", .item = "oil", .time = 4 * kSecond}});
  write_out();
  const auto now = tables();
  EXPECT_FALSE(std::ranges::includes(now, then)) << "a file is gone";

  const auto events_in = [&](rocksdb::Env* env) -> std::optional<int> {
    rocksdb::DBOptions options;
    options.env = env;
    std::vector<std::string> names;
    if (!rocksdb::DB::ListColumnFamilies(options, folder, &names).ok()) return std::nullopt;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families{{"default", {}}, {"events", {}}};
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    if (!rocksdb::DB::OpenForReadOnly(options, folder, families, &handles, &raw).ok()) return std::nullopt;
    const std::unique_ptr<rocksdb::DB> database(raw);
    int count = 0;
    {
      const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}, handles[1]));
      for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
      EXPECT_TRUE(at->status().ok()) << at->status().ToString();
    }
    for (rocksdb::ColumnFamilyHandle* handle : handles) database->DestroyColumnFamilyHandle(handle);
    return count;
  };
  const std::unique_ptr<rocksdb::Env> frozen = rocksdb::NewCompositeEnv(*files);
  EXPECT_EQ(events_in(frozen.get()), 3);
  EXPECT_EQ(events_in(rocksdb::Env::Default()), 4);  // the control: what is there now
  // And nothing of the folder can be changed through them.
  const std::string table = folder + "/" + *now.begin();
  EXPECT_FALSE(frozen->DeleteFile(table).ok());
  EXPECT_FALSE(frozen->RenameFile(table, folder + "/other").ok());
  EXPECT_TRUE(std::filesystem::exists(table));
}

TEST(StoreSnapshot, OfAFolderByAnyName) {
  SmallStore store;
  store.append({{.customer = "ann", .item = "tea", .time = kSecond}});
  for (const std::string& name :
       {store.folder() + "/", store.folder() + "/.", store.folder() + "/../" + std::filesystem::path(store.folder()).filename().string()}) {
    const auto snapshot = StoreSnapshot::open(name);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(read(**snapshot).size(), 1u) << name;
  }
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(store.folder());
  const auto snapshot = StoreSnapshot::open(".");
  std::filesystem::current_path(here);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(read(**snapshot).size(), 1u);
}

TEST(StoreSnapshot, EndsWithTheReadersError) {
  SmallStore store;
  store.append({{.customer = "ann", .item = "tea", .time = kSecond}, {.customer = "ann", .item = "jam", .time = kSecond}});
  const auto snapshot = StoreSnapshot::open(store.folder());
  ASSERT_TRUE(snapshot.ok());
  int taken = 0;
  const absl::Status status = (*snapshot)->read([&](const StoreSnapshot::Row&) { return ++taken, absl::CancelledError("enough"); });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(taken, 1);
}

TEST(StoreSnapshot, OfNothingSaysSo) {
  TemporaryFolder place;
  const auto snapshot = StoreSnapshot::open(place.path());
  EXPECT_EQ(snapshot.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(message_of(snapshot.status())), HasSubstr("there is no store"));
}

// While a writer writes, flushes and compacts, every snapshot is whole: it has each event up to its sequence, and no other.
TEST(StoreSnapshot, IsWholeWhileTheServerWritesAndCompacts) {
  SmallStore store;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; !done.load(); ++i) {
      store.append({{.customer = "c" + std::to_string(i % 50), .item = "i" + std::to_string(i % 9), .time = i * kSecond}});
      if (i % 20 == 19) store.database->rocks().Flush({}, store.database->family(Family::kEvents));
      if (i % 60 == 59) store.database->rocks().CompactRange({}, store.database->family(Family::kEvents), nullptr, nullptr);
    }
  });
  uint64_t last = 0;
  for (int round = 0; round < 15; ++round) {
    const auto snapshot = StoreSnapshot::open(store.folder());
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    if (!snapshot.ok()) break;
    EXPECT_EQ(read(**snapshot).size(), (*snapshot)->newest_sequence());
    EXPECT_GE((*snapshot)->newest_sequence(), last);
    last = (*snapshot)->newest_sequence();
  }
  done.store(true);
  writer.join();
  EXPECT_GT(last, 0u);
}

}  // namespace
}  // namespace bouquet::server
