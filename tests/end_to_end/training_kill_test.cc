// R8: the real `bouquet train --store --models`, killed at each change that it makes to the models directory and at moments before: whoever
// looks sees whole versions alone, CURRENT names one of them, and the next training succeeds and removes what was left. With --checkpoints
// it goes on where the killed one was, and publishes the model of one that was not killed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/models_directory.h"
#include "tests/end_to_end/program.h"
#include "tests/server/event_store/small_store.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestRun{60'000};

// Changes in a folder and in those that are made in it.
class Changes {
 public:
  explicit Changes(std::string folder) : folder_(std::move(folder)), file_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) { watch(folder_); }
  ~Changes() { close(file_); }

  // How many there were since the last call; waits a moment for one.
  int take() {
    pollfd waiting{.fd = file_, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, 1);
    alignas(inotify_event) std::array<char, 16384> bytes;
    int count = 0;
    for (ssize_t size = 0; (size = read(file_, bytes.data(), bytes.size())) > 0;)
      for (const char* at = bytes.data(); at < bytes.data() + size; ++count) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        if ((event->mask & IN_ISDIR) != 0 && (event->mask & IN_CREATE) != 0) watch(folder_ + "/" + event->name);
        at += sizeof(inotify_event) + event->len;
      }
    return count;
  }

 private:
  void watch(const std::string& folder) {
    inotify_add_watch(file_, folder.c_str(), IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE);
  }
  const std::string folder_;
  const int file_;
};

// Runs `pid` until it ends, it has made `changes` changes, or `at_most` is over; then it is killed. Its exit code, -1: it was killed.
int run_until(pid_t pid, Changes& seen, int changes, milliseconds at_most) {
  const auto end = steady_clock::now() + at_most;
  int status = 0;
  for (int count = 0; count < changes && steady_clock::now() < end; count += seen.take())
    if (waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ::kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What is wrong with the directory for somebody who reads it now; empty: nothing.
std::string problem_of(const std::string& models, std::set<std::string>& verified) {
  const auto directory = ModelsDirectory::open_existing(models);
  if (!directory.ok()) return directory.status().ToString();
  const auto current = directory->current();
  if (!current.ok()) return current.status().ToString();
  for (const std::string& version : directory->versions()) {
    if (verified.contains(version)) continue;
    if (const auto loaded = directory->load(version); !loaded.ok()) return version + ": " + loaded.status().ToString();
    verified.insert(version);
  }
  return verified.contains(*current) ? "" : "CURRENT names " + *current + ", which is not there";
}

// Looks all the time.
class Onlooker {
 public:
  explicit Onlooker(const std::string& models)
      : thread_([this, models] {
          for (std::set<std::string> verified; !stop_; ++looks_)
            if (problem_.empty()) problem_ = problem_of(models, verified);
        }) {}
  std::string stop() {
    stop_ = true;
    thread_.join();
    return problem_;
  }
  int64_t looks() const { return looks_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> looks_{0};
  std::string problem_;
  std::thread thread_;
};

// What no finished training leaves.
std::vector<std::string> left_over(const std::string& models) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(models))
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) names.push_back(entry.path().filename());
  return names;
}

class TrainingAfterKill9 : public ::testing::Test {
 protected:
  TrainingAfterKill9() {
    for (int c = 0; c < 30; ++c)
      for (int i = 0; i < 8; ++i)
        store_.append_one({.customer = "customer" + std::to_string(c), .item = "item" + std::to_string((c % 3) * 5 + (i * c) % 9)});
    for (int c = 0; c < 30; ++c) store_.set_attributes("customer" + std::to_string(c), {{"tier", c % 3 == 0 ? "gold" : "tin"}});
    fs::create_directories(scratch_);
  }
  pid_t start_training(const std::string& epochs = "2", const std::string& checkpoints = {}) {
    std::vector<std::string> words = {BOUQUET_PROGRAM, "train", "--store",      store_.folder(), "--models", models_, "--backend",   "cpu",
                                      "--threads",     "1",     "--validation", "none",          "--epochs", epochs,  "--dimension", "8",
                                      "--attributes",  "on"};
    if (!checkpoints.empty()) words.insert(words.end(), {"--checkpoints", checkpoints});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables = {"TMPDIR=" + scratch_, std::string("PATH=") + getenv("PATH")};
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, BOUQUET_PROGRAM, &actions, nullptr, argv.data(), environment.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  void train() {
    Changes changes(models_);
    ASSERT_EQ(run_until(start_training(), changes, INT_MAX, kLongestRun), 0) << "see " << log_;
  }
  size_t version_count() const { return ModelsDirectory::open_existing(models_)->versions().size(); }

  SmallStore store_;
  const std::string models_ = store_.place.path() + "/models", scratch_ = store_.place.path() + "/scratch",
                    log_ = store_.place.path() + "/log";
};

TEST_F(TrainingAfterKill9, LeavesWholeVersionsAloneAndTheNextOneSucceeds) {
  fs::create_directories(models_);
  train();
  ASSERT_EQ(version_count(), 1u);
  Changes changes(models_);
  const auto begin = steady_clock::now();
  const pid_t whole = start_training();
  int status = 0, most_changes = 0;
  while (waitpid(whole, &status, WNOHANG) == 0) most_changes += changes.take();
  most_changes += changes.take();
  const auto whole_run = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ASSERT_GT(most_changes, 10);

  Onlooker onlooker(models_);
  std::mt19937 random(20261130);
  std::set<std::string> verified;
  int killed = 0, after_publishing = 0, with_rest = 0;
  for (int kills = 0; kills < BOUQUET_KILLS; ++kills) {
    const size_t before = version_count();
    Changes seen(models_);
    // Two of three at one of the changes, one by one; the others at any moment.
    const bool at_change = kills % 3 != 2;
    const int change = 1 + (kills * 7) % most_changes;
    const milliseconds moment(random() % static_cast<unsigned>(whole_run.count() + 1));
    killed += run_until(start_training(), seen, at_change ? change : INT_MAX, at_change ? kLongestRun : moment) == -1;
    ASSERT_EQ(problem_of(models_, verified), "") << "after kill " << kills;
    after_publishing += version_count() > before;
    with_rest += !left_over(models_).empty();
    if (kills % 10 == 9) {
      train();
      EXPECT_THAT(left_over(models_), testing::IsEmpty());
    }
  }
  const size_t before = version_count();
  train();
  EXPECT_EQ(version_count(), before + 1);
  EXPECT_EQ(*ModelsDirectory::open_existing(models_)->current(), ModelsDirectory::open_existing(models_)->versions().back());
  EXPECT_THAT(left_over(models_), testing::IsEmpty());
  EXPECT_EQ(onlooker.stop(), "");
  std::cout << killed << " of " << BOUQUET_KILLS << " trainings killed, " << most_changes << " changes of the directory each, " << with_rest
            << " left something, " << after_publishing << " had published; looked at " << onlooker.looks() << " times meanwhile\n";
  EXPECT_GT(with_rest, BOUQUET_KILLS / 10);
  EXPECT_GT(killed, BOUQUET_KILLS / 2);
}

TEST_F(TrainingAfterKill9, GoesOnFromItsCheckpointsToTheModelOfOneThatWasNotKilled) {
  const std::string checkpoints = store_.place.path() + "/checkpoints";
  fs::create_directories(models_);
  fs::create_directories(checkpoints);
  Changes of_models(models_);
  ASSERT_EQ(run_until(start_training("9"), of_models, INT_MAX, kLongestRun), 0) << "see " << log_;
  const auto whole = *ModelsDirectory::open_existing(models_)->load_current();

  int killed = 0;
  for (int change = 3;; change += 2) {
    ASSERT_LT(change, 1000);
    Changes seen(checkpoints);
    const int code = run_until(start_training("9", checkpoints), seen, change, kLongestRun);
    if (code == 0) break;
    ASSERT_EQ(code, -1) << "see " << log_;
    ++killed;
  }
  EXPECT_GT(killed, 3);
  std::ifstream log(log_);
  const std::string said((std::istreambuf_iterator<char>(log)), {});
  EXPECT_THAT(said, testing::HasSubstr("goes on after epoch"));
  const auto resumed = *ModelsDirectory::open_existing(models_)->load_current();
  EXPECT_EQ(version_count(), 2u);
  EXPECT_TRUE(std::ranges::equal(resumed->model.profiles, whole->model.profiles));
  EXPECT_TRUE(std::ranges::equal(resumed->model.item_vectors, whole->model.item_vectors));
  EXPECT_TRUE(std::ranges::equal(resumed->model.customer_prior.map, whole->model.customer_prior.map));
  for (const auto& entry : fs::directory_iterator(checkpoints)) EXPECT_EQ(entry.path().filename(), "lock") << "is left";
}

// The control: a writer that makes a version where everybody sees it, and names it first.
TEST_F(TrainingAfterKill9, TellsWhenAVersionIsSeenHalf) {
  publish_current(models_, random_shop(2000, 500, 32, 3).artifact());
  const auto artifact = *ModelsDirectory::open_existing(models_)->load_current();
  const std::string version = "20990101T000000Z-00000000";
  int torn = 0;
  for (int change = 1; change <= 12; ++change) {
    fs::remove_all(models_ + "/" + version);
    Changes seen(models_);
    const pid_t writer = fork();
    if (writer == 0) {
      fs::create_directory(models_ + "/" + version);
      const bool written = write_artifact(*artifact, models_ + "/" + version).ok();
      _exit(written ? 0 : 1);
    }
    run_until(writer, seen, change, kLongestRun);
    std::set<std::string> verified;
    torn += !problem_of(models_, verified).empty();
  }
  EXPECT_GT(torn, 0);
}

}  // namespace
}  // namespace bouquet::server
