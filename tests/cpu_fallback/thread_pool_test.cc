#include "cpu_fallback/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace bouquet::cpu {
namespace {

class AnyPool : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, AnyPool, testing::Values(1, 2, 3, 8));

TEST_P(AnyPool, DoesEveryTaskOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.size(), GetParam());
  for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
    std::vector<int> done(static_cast<size_t>(tasks), 0);  // not atomic: a task runs once, and run() makes its writes visible
    pool.run(tasks, [&](int, int64_t task) { ++done[static_cast<size_t>(task)]; });
    EXPECT_EQ(done, std::vector<int>(static_cast<size_t>(tasks), 1));
  }
}

TEST_P(AnyPool, NeverGivesOneWorkerNumberToTwoTasksAtOnce) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> inside(static_cast<size_t>(GetParam()));
  std::atomic<int> collisions{0};
  pool.run(5000, [&](int worker, int64_t) {
    if (inside[static_cast<size_t>(worker)].fetch_add(1) != 0) ++collisions;
    inside[static_cast<size_t>(worker)].fetch_sub(1);
  });
  EXPECT_EQ(collisions, 0);
}

TEST_P(AnyPool, SurvivesManyShortRuns) {
  ThreadPool pool(GetParam());
  int64_t sum = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<int64_t> parts(4);
    pool.run(4, [&](int, int64_t task) { parts[static_cast<size_t>(task)] = task; });
    for (const int64_t part : parts) sum += part;
  }
  EXPECT_EQ(sum, 2000 * 6);
}

TEST_P(AnyPool, LetsATaskRunTasksOfItsOwn) {
  ThreadPool pool(GetParam());
  std::atomic<int> inner{0};
  pool.run(6, [&](int, int64_t) { pool.run(5, [&](int, int64_t) { ++inner; }); });
  EXPECT_EQ(inner, 30);
}

TEST_P(AnyPool, ServesSeveralCallersAtOnce) {
  ThreadPool pool(GetParam());
  std::vector<int> done(4 * 500, 0);
  {
    std::vector<std::jthread> callers;
    for (size_t caller = 0; caller < 4; ++caller)
      callers.emplace_back([&, caller] {
        for (size_t round = 0; round < 50; ++round)
          pool.run(10, [&](int, int64_t task) { ++done[caller * 500 + round * 10 + static_cast<size_t>(task)]; });
      });
  }
  EXPECT_EQ(done, std::vector<int>(done.size(), 1));
}

TEST(ThreadPool, GivesACallerWhoFindsItTakenWorkerZeroAndItsOwnThread) {
  ThreadPool pool(2);
  std::atomic<bool> taken{false}, let_go{false};
  std::jthread other([&] {
    pool.run(2, [&](int, int64_t) {
      taken = true;
      taken.notify_all();
      let_go.wait(false);
    });
  });
  taken.wait(false);
  std::vector<std::thread::id> ids;
  pool.run(3, [&](int worker, int64_t) {
    EXPECT_EQ(worker, 0);
    ids.push_back(std::this_thread::get_id());
  });
  EXPECT_EQ(ids, std::vector<std::thread::id>(3, std::this_thread::get_id()));
  let_go = true;
  let_go.notify_all();
}

}  // namespace
}  // namespace bouquet::cpu
