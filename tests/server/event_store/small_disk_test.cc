// R9 on a real file system that is full: a small tmpfs, which only root can mount.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

constexpr uint64_t kDiskBytes = uint64_t{320} << 20;

// Mounts in here are seen by this process alone and go with it: by threads that begin later, so this comes before RocksDB's.
std::string why_not_alone() {
  static const std::string why = [] {
    if (geteuid() != 0) return std::string("only root can mount a small file system");
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return std::string("no mounts of its own: ") + std::strerror(errno);
    return std::string();
  }();
  return why;
}

class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    const std::string options = "size=" + std::to_string(kDiskBytes);
    if (mount("tmpfs", disk().c_str(), "tmpfs", 0, options.c_str()) != 0)
      GTEST_SKIP() << "a tmpfs cannot be mounted: " << std::strerror(errno);
    mounted_ = true;
    store_.close();
    store_.elsewhere = disk();
  }
  void TearDown() override {
    store_.close();
    if (mounted_) umount2(disk().c_str(), MNT_DETACH);
  }
  const std::string& disk() const { return disk_.path(); }
  std::string ballast() const { return disk() + "/ballast"; }
  uint64_t free() const { return std::filesystem::space(disk()).available; }
  // Somebody else fills the disk but for `left` bytes.
  void fill(uint64_t left) {
    std::ofstream file(ballast(), std::ios::binary | std::ios::app);
    const std::string page(4096, 'x');
    while (free() >= left + page.size() && file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
    }
  }
  void make_room() { std::filesystem::remove(ballast()); }

  SaidEvent next() const {
    const std::string number = std::to_string(sent_);
    return {.customer = "c" + std::to_string(sent_ % 5), .item = "i" + number, .event_id = "e" + number, .basket = std::string(4000, 'b')};
  }
  // Sends events until one is refused; of those that were not, none may be lost.
  Outcome send_until_refused() {
    for (;;) {
      const Outcome outcome = store_.append_one(next());
      if (!outcome.status.ok()) return outcome;
      ++sent_;
    }
  }
  void expect_all_there() {
    std::multiset<std::string> found;
    const absl::Status read = store_.store->events().scan({}, [&](auto, std::span<const StoredEvent> events) {
      for (const StoredEvent& event : events) found.insert(store_.store->item_ids().name(event.item));
      return true;
    });
    ASSERT_TRUE(read.ok()) << read;
    ASSERT_EQ(found.size(), static_cast<size_t>(sent_));
    for (int i = 0; i < sent_; ++i) ASSERT_EQ(found.count("i" + std::to_string(i)), 1u) << i;
  }
  // Reads go on, and what was acknowledged before is there.
  void fill_until_refused(uint64_t left) {
    for (int n = 0; n < 50; ++n, ++sent_) ASSERT_TRUE(store_.append_one(next()).status.ok());
    fill(left);
    const Outcome refused = send_until_refused();
    EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted) << refused.status;
    EXPECT_EQ(store_.append_one(next()).status.code(), absl::StatusCode::kResourceExhausted) << "and the next one";
    expect_all_there();
  }
  void expect_writes_again() {
    ASSERT_LT(store_.append_until_taken(next()), std::chrono::seconds(10));
    ++sent_;
    expect_all_there();
  }

  const std::string why_not_ = why_not_alone();
  const TemporaryFolder disk_;
  SmallStore store_;
  int sent_ = 0;  // acknowledged
  bool mounted_ = false;
};

// As a server has it: the last bytes are left alone. RocksDB takes room for its log ahead, so that some events fit even then.
TEST_F(SmallDisk, WritesAreRefusedBeforeItIsFullAndGoOnOnceThereIsRoom) {
  store_.open();
  for (int round = 0; round < 3; ++round) {
    fill_until_refused(store_.database_options.reserve_bytes + (uint64_t{1} << 20));
    make_room();
    expect_writes_again();
  }
  store_.reopen();
  expect_all_there();
  std::printf("%d events acknowledged, none lost\n", sent_);
}

// Somebody else takes those too: RocksDB does not come back by itself then, but nothing is lost.
TEST_F(SmallDisk, NothingIsLostWhenTheVeryLastByteIsTakenAndARestartGoesOn) {
  store_.database_options.reserve_bytes = 0;
  store_.open();
  for (const uint64_t left : {256 << 10, 160 << 10, 64 << 10, 0}) {
    fill_until_refused(left);
    make_room();
    store_.reopen();
    expect_all_there();
    expect_writes_again();
  }
}

}  // namespace
}  // namespace bouquet::server
