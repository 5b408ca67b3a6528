#include "server/request_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/server/counting_job.h"

namespace bouquet::server {
namespace {

using std::chrono::milliseconds;

class Queue : public ::testing::Test {
 protected:
  bool push(RequestQueue& queue, int64_t bytes = 10, TimePoint deadline = TimePoint::max(),
            std::shared_ptr<std::atomic<bool>> cancelled = nullptr) {
    return queue.push({.job = std::make_unique<CountingJob>(outcomes_, std::move(cancelled)), .deadline = deadline, .bytes = bytes},
                      clock_.now(), dropped_);
  }
  // Takes everything; the jobs end as executed.
  int take_all(RequestQueue& queue) {
    std::vector<QueuedJob> taken;
    queue.take(1 << 20, clock_.now(), taken, dropped_);
    for (const QueuedJob& job : taken) job.job->finish(absl::OkStatus());
    return static_cast<int>(taken.size());
  }
  // The reasons so far; the jobs end with them.
  std::vector<Drop> reasons() {
    std::vector<Drop> out;
    for (DroppedJob& gone : dropped_) {
      out.push_back(gone.reason);
      gone.job->finish(status_of(gone.reason));
    }
    dropped_.clear();
    return out;
  }

  Outcomes outcomes_;
  ManualClock clock_;
  std::vector<DroppedJob> dropped_;
};

TEST_F(Queue, TakesExactlyAsManyAsItsBound) {
  RequestQueue queue({.max_requests = 100, .max_bytes = 1 << 20, .max_wait = milliseconds(50)});
  for (int i = 0; i < 117; ++i) push(queue);
  EXPECT_EQ(queue.size(), 100);
  EXPECT_EQ(reasons(), std::vector<Drop>(17, Drop::kFull));
  EXPECT_EQ(take_all(queue), 100);
}

TEST_F(Queue, TakesExactlyAsManyBytesAsItsBound) {
  RequestQueue queue({.max_requests = 1000, .max_bytes = 100, .max_wait = milliseconds(50)});
  EXPECT_TRUE(push(queue, 60));
  EXPECT_FALSE(push(queue, 41));
  EXPECT_TRUE(push(queue, 40));
  EXPECT_FALSE(push(queue, 1));
  EXPECT_EQ(reasons(), (std::vector<Drop>{Drop::kTooManyBytes, Drop::kTooManyBytes}));
  EXPECT_EQ(queue.bytes(), 100);
  EXPECT_EQ(take_all(queue), 2);
  EXPECT_EQ(queue.bytes(), 0);
  EXPECT_TRUE(push(queue, 100));
  EXPECT_EQ(take_all(queue), 1);
}

TEST_F(Queue, TurnsAwayExactlyThoseThatWaitedTooLong) {
  RequestQueue queue({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(50)});
  for (int i = 0; i < 7; ++i) push(queue);
  clock_.advance(milliseconds(1));
  for (int i = 0; i < 5; ++i) push(queue);
  clock_.advance(milliseconds(49));  // the first have waited the bound: they may still be executed
  queue.sweep(clock_.now(), dropped_);
  EXPECT_TRUE(dropped_.empty());
  clock_.advance(milliseconds(1));  // the first are one past it
  queue.sweep(clock_.now(), dropped_);
  EXPECT_EQ(reasons(), std::vector<Drop>(7, Drop::kWaitedTooLong));
  EXPECT_EQ(queue.bytes(), 50);
  EXPECT_EQ(take_all(queue), 5);
}

TEST_F(Queue, DropsExpiredAndCancelledOnesWhereverTheyAre) {
  RequestQueue queue({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(500)});
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  push(queue);
  push(queue, 10, clock_.now() + milliseconds(5));
  push(queue, 10, TimePoint::max(), cancelled);
  push(queue, 10, clock_.now() + milliseconds(6));
  cancelled->store(true);
  clock_.advance(milliseconds(5));
  queue.sweep(clock_.now(), dropped_);
  EXPECT_EQ(reasons(), (std::vector<Drop>{Drop::kExpired, Drop::kCancelled}));
  clock_.advance(milliseconds(1));
  EXPECT_EQ(take_all(queue), 1);  // taking looks again
  EXPECT_EQ(reasons(), std::vector<Drop>{Drop::kExpired});
}

TEST_F(Queue, RefusesWhatIsLateAlready) {
  RequestQueue queue({.max_requests = 10, .max_bytes = 1000, .max_wait = milliseconds(50)});
  EXPECT_FALSE(push(queue, 10, clock_.now()));
  EXPECT_EQ(reasons(), std::vector<Drop>{Drop::kExpired});
}

TEST_F(Queue, TakesNoMoreThanAskedOldestFirst) {
  RequestQueue queue({.max_requests = 10, .max_bytes = 1000, .max_wait = milliseconds(50)});
  for (int i = 1; i <= 5; ++i) push(queue, i);
  std::vector<QueuedJob> taken;
  queue.take(2, clock_.now(), taken, dropped_);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].bytes, 1);
  EXPECT_EQ(taken[1].bytes, 2);
  for (const QueuedJob& job : taken) job.job->finish(absl::OkStatus());
  EXPECT_EQ(take_all(queue), 3);
}

TEST_F(Queue, ClosedTakesNothingMoreAndKeepsWhatWaits) {
  RequestQueue queue({.max_requests = 10, .max_bytes = 1000, .max_wait = milliseconds(50)});
  push(queue);
  queue.close();
  EXPECT_FALSE(push(queue));
  EXPECT_EQ(reasons(), std::vector<Drop>{Drop::kClosed});
  EXPECT_EQ(take_all(queue), 1);
}

}  // namespace
}  // namespace bouquet::server
