// R6 and R7: a process that writes events is killed at random moments, also on a disk that forgets what was not synced. What was
// acknowledged is there once when the store is opened again, and clients send again what they got no answer to, and their last batch too,
// as if its answer had been lost. Merges likewise, and what was taken back of them, and attributes.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <random>

#include "tests/server/event_store/small_store.h"
#include "tests/server/event_store/writer_events.h"

namespace bouquet::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Protections {
  bool sync = true, lossy_disk = false, event_ids = true;
};

class KilledWriter {
 public:
  explicit KilledWriter(const Protections& protections) : protections_(protections) {}

  // One life of the writer, and what the store has afterwards.
  void round(milliseconds after_first_answer) {
    run_and_kill(after_first_answer);
    look();
  }

  int64_t acknowledged() const { return std::accumulate(acknowledged_.begin(), acknowledged_.begin() + kWriterClients, int64_t{0}); }
  int64_t merges() const { return acknowledged_[kWriterMerger]; }
  int64_t words() const { return acknowledged_[kWriterSetter]; }
  int64_t lost = 0, doubled = 0, lost_merges = 0, lost_words = 0, slowest_open_ms = 0;

 private:
  void run_and_kill(milliseconds after_first_answer) {
    std::vector<std::string> words = {BOUQUET_EVENT_WRITER, folder(), flag(protections_.sync), flag(protections_.lossy_disk),
                                      flag(protections_.event_ids)};
    for (int client = 0; client < kWriterRoles; ++client)
      words.push_back(
          std::to_string(std::max(1, acknowledged_[static_cast<size_t>(client)] - (client < kWriterMerger ? kWriterBatch : 1) + 1)));
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t writer = 0;
    ASSERT_EQ(posix_spawn(&writer, BOUQUET_EVENT_WRITER, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE* answers = fdopen(ends[0], "r");
    int client = 0, last = 0;
    const auto read_answer = [&] {
      if (std::fscanf(answers, "%d %d", &client, &last) != 2) return false;
      acknowledged_[static_cast<size_t>(client)] = std::max(acknowledged_[static_cast<size_t>(client)], last);
      return true;
    };
    EXPECT_TRUE(read_answer()) << "the writer did not start";
    for (const auto until = steady_clock::now() + after_first_answer; steady_clock::now() < until;)
      if (!read_answer()) break;
    ::kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    while (read_answer()) {
    }
    std::fclose(answers);
  }

  void look() {
    const auto begin = steady_clock::now();
    const auto database = StoreDatabase::open(folder());
    ASSERT_TRUE(database.ok()) << database.status();
    const auto store = EventStore::open(**database);
    ASSERT_TRUE(store.ok()) << store.status();
    slowest_open_ms = std::max<int64_t>(slowest_open_ms, std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin).count());
    std::array<std::map<int64_t, int>, kWriterClients> seen;
    const absl::Status read = (*store)->events().scan({}, [&](CustomerNumber customer, std::span<const StoredEvent> events) {
      const std::string id = *(*store)->customer_id(customer);
      const int client = id[0] - '0';
      for (const StoredEvent& event : events) {
        const int i = static_cast<int>(event.time);
        EXPECT_EQ(id, writer_customer(client, i));
        EXPECT_EQ((*store)->item_ids().name(event.item), writer_item(i));
        ++seen[static_cast<size_t>(client)][i];
      }
      return true;
    });
    ASSERT_TRUE(read.ok()) << read;
    for (size_t c = 0; c < kWriterClients; ++c) {
      for (int i = 1; i <= acknowledged_[c]; ++i) lost += !seen[c].contains(i);
      for (const auto& [i, count] : seen[c]) doubled += count > 1;
    }
    for (int i = 1; i <= acknowledged_[kWriterMerger]; ++i) {
      const auto merge = (*store)->merges().find(writer_visitor(i));
      lost_merges += writer_takes_back(i) ? merge.has_value() : !merge || merge->into != writer_owner(i);
    }
    for (int i = std::max(1, acknowledged_[kWriterSetter] - kWriterDescribed + 1); i <= acknowledged_[kWriterSetter]; ++i)
      lost_words += word_on(**store, writer_described(i)) < i;
  }

  // The last that the store knows; 0: none.
  static double word_on(const EventStore& store, const std::string& id) {
    const auto customer = store.find_customer(id);
    EXPECT_TRUE(customer.ok()) << customer.status();
    if (!customer.ok() || !customer->has_value()) return 0;
    const auto attributes = store.attributes_of(**customer);
    EXPECT_TRUE(attributes.ok()) << attributes.status();
    if (!attributes.ok()) return 0;
    const auto word = attributes->values.find(kWriterAttribute);
    return word == attributes->values.end() ? 0 : word->second.number();
  }
  static std::string flag(bool on) { return on ? "1" : "0"; }
  std::string folder() const { return place_.path() + "/store"; }

  const Protections protections_;
  const TemporaryFolder place_;
  std::array<int, kWriterRoles> acknowledged_{};
};

void expect_nothing_lost(const Protections& protections) {
  KilledWriter writer(protections);
  std::mt19937 random(6);
  for (int kills = 1; kills <= BOUQUET_KILLS; ++kills) {
    writer.round(milliseconds(random() % 60));
    ASSERT_EQ(writer.lost, 0) << "after kill " << kills;
    ASSERT_EQ(writer.doubled, 0) << "after kill " << kills;
    ASSERT_EQ(writer.lost_merges, 0) << "after kill " << kills;
    ASSERT_EQ(writer.lost_words, 0) << "after kill " << kills;
  }
  EXPECT_LT(writer.slowest_open_ms, 2000);
  EXPECT_GE(writer.acknowledged(), BOUQUET_KILLS * kWriterBatch / 2);
  EXPECT_GE(writer.merges(), BOUQUET_KILLS / 2);
  EXPECT_GE(writer.words(), BOUQUET_KILLS / 2);
  std::cout << BOUQUET_KILLS << " kills, " << writer.acknowledged() << " events, " << writer.merges() << " merges and " << writer.words()
            << " attributes acknowledged, opened within " << writer.slowest_open_ms << " ms\n";
}

TEST(EventsAfterKill9, AreThereOnce) { expect_nothing_lost({}); }
TEST(EventsAfterPowerLoss, AreThereOnce) { expect_nothing_lost({.lossy_disk = true}); }

TEST(EventsAfterPowerLoss, WithoutSyncTheyAreLost) {
  KilledWriter writer({.sync = false, .lossy_disk = true});
  writer.round(milliseconds(30));
  EXPECT_GT(writer.lost, 0);
  EXPECT_GT(writer.lost_merges, 0);
  EXPECT_GT(writer.lost_words, 0);
}

TEST(EventsAfterKill9, WithoutEventIdsTheyAreThereTwice) {
  KilledWriter writer({.event_ids = false});
  writer.round(milliseconds(10));
  EXPECT_EQ(writer.doubled, 0);
  writer.round(milliseconds(10));
  EXPECT_GT(writer.doubled, 0);
}

}  // namespace
}  // namespace bouquet::server
