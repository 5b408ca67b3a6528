// R16: once a pass is over, no file of the store holds a byte of who was erased.
#include "server/event_store/erased_files.h"

#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kCustomers = 100;

// Files below `folder` that hold `text`.
std::vector<std::string> files_with(const std::string& folder, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    if (bytes.str().find(text) != std::string::npos) found.push_back(entry.path().filename().string());
  }
  return found;
}

class ErasedFilesTest : public ::testing::Test {
 protected:
  static std::string canary(int c) { return "canary-of-customer-" + std::to_string(c) + "-end"; }
  void SetUp() override {
    small_.close();
    std::filesystem::remove_all(small_.folder());
    small_.database_options.compress = false;  // so that what is there is found
    small_.open();
  }
  // Each customer stands in the log and in two generations of sorted files.
  void fill() {
    for (int round = 0; round < 3; ++round) {
      for (int c = 0; c < kCustomers; ++c) {
        small_.append_one({.customer = canary(c), .item = "tea", .basket = "basket-" + canary(c)});
        small_.set_attributes(canary(c), {{"name", "name-" + canary(c)}});
        small_.keep_answer(canary(c), static_cast<uint64_t>(round + 1), "inputs-" + canary(c));
      }
      if (round < 2) {
        ASSERT_TRUE(small_.database->flush().ok());
      }
    }
  }
  void wait_for_pass(const ErasedFiles& files) {
    for (int i = 0; i < 6000 && files.pending() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(files.pending(), 0);
    EXPECT_TRUE(files.last_pass().ok()) << files.last_pass();
  }
  std::unique_ptr<ErasedFiles> start() {
    auto files = ErasedFiles::start(*small_.database, {.gather = std::chrono::milliseconds(1), .clock = small_.database_options.clock});
    EXPECT_TRUE(files.ok()) << files.status();
    return *std::move(files);
  }

  SmallStore small_;
};

TEST_F(ErasedFilesTest, NoByteIsLeftOfThoseWhoWereErasedAndOthersAreWhole) {
  fill();
  for (int c = 0; c < kCustomers; c += 2) EXPECT_THAT(files_with(small_.folder(), canary(c)), Not(IsEmpty()));
  std::vector<uint64_t> sequences;
  for (int c = 0; c < kCustomers; c += 2) sequences.push_back(small_.erase(canary(c)).sequence);
  EXPECT_THAT(files_with(small_.folder(), canary(0)), Not(IsEmpty())) << "the erasure alone leaves bytes";
  const auto files = start();
  wait_for_pass(*files);
  for (int c = 0; c < kCustomers; c += 2) EXPECT_THAT(files_with(small_.folder(), canary(c)), IsEmpty()) << canary(c);
  for (int c = 1; c < kCustomers; c += 2) {
    EXPECT_EQ(small_.events_of(canary(c)).size(), 3u);
    EXPECT_EQ(small_.store->attributes_of(small_.customer(canary(c)))->values.at("name").text(), "name-" + canary(c));
  }
  for (const uint64_t sequence : sequences) EXPECT_EQ(small_.store->receipt_of(sequence)->files_gone_time(), small_.now);
}

TEST_F(ErasedFilesTest, NoByteIsLeftOfAnyIdOfAPersonNorOfWhoWasOneOnce) {
  fill();
  for (int c = 1; c < 5; ++c) small_.merge(canary(c), canary(c - 1));
  small_.merge(canary(5), canary(0));
  ASSERT_TRUE(small_.database->flush().ok());
  small_.unmerge(canary(5));
  small_.erase(canary(3));
  {
    const auto files = start();
    wait_for_pass(*files);
  }
  for (int c = 0; c < 5; ++c) EXPECT_THAT(files_with(small_.folder(), canary(c)), IsEmpty()) << canary(c);
  EXPECT_EQ(small_.events_of(canary(5)).size(), 3u);
  small_.erase(canary(5));
  const auto files = start();
  wait_for_pass(*files);
  EXPECT_THAT(files_with(small_.folder(), canary(5)), IsEmpty());
}

TEST_F(ErasedFilesTest, WhatWasLeftOverIsTakenUpAtTheNextStart) {
  fill();
  const uint64_t sequence = small_.erase(canary(0)).sequence;
  small_.reopen();
  EXPECT_EQ(small_.store->receipt_of(sequence)->files_gone_time(), 0);
  {
    const auto files = start();
    wait_for_pass(*files);
  }
  EXPECT_THAT(files_with(small_.folder(), canary(0)), IsEmpty());
  small_.reopen();
  EXPECT_EQ(start()->pending(), 0);
}

TEST_F(ErasedFilesTest, ThoseWhoAreErasedWhileItRunsHaveTheirTurn) {
  const auto files = start();
  small_.store.reset();
  small_.options.listener = [&](const DurableGroup& group) { files->add(group.erasures); };
  auto events = EventStore::open(*small_.database, small_.options);
  ASSERT_TRUE(events.ok());
  small_.store = *std::move(events);
  fill();
  for (int c = 0; c < 10; ++c) small_.erase(canary(c));
  wait_for_pass(*files);
  for (int c = 0; c < 10; ++c) EXPECT_THAT(files_with(small_.folder(), canary(c)), IsEmpty());
  small_.store.reset();
}

TEST_F(ErasedFilesTest, NoPassRunsWhileTheFilesAreHeld) {
  small_.append_one({.customer = canary(0), .item = "tea"});
  const CustomerNumber number = small_.customer(canary(0));
  const auto files = start();
  std::atomic<bool> stop{false};
  auto held = files->hold_files(stop);
  ASSERT_TRUE(held.owns_lock());
  const std::string id = canary(0);
  const DurableErasure erased{number, id, {.sequence = small_.erase(canary(0)).sequence, .time = 0}};
  files->add({&erased, 1});
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the pass is due after one
  EXPECT_EQ(files->pending(), 1);
  EXPECT_THAT(files_with(small_.folder(), canary(0)), Not(IsEmpty()));
  stop.store(true);
  EXPECT_FALSE(files->hold_files(stop).owns_lock()) << "who is stopped does not wait";
  held.unlock();
  wait_for_pass(*files);
  EXPECT_THAT(files_with(small_.folder(), canary(0)), IsEmpty());
}

}  // namespace
}  // namespace bouquet::server
