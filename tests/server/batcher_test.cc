#include "server/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/server/counting_job.h"

namespace bouquet::server {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

// A batcher whose backend stands behind a gate, and a clock that the test moves.
class GatedBatcher : public ::testing::Test {
 protected:
  void start(QueueLimits limits, int32_t workers = 1, int32_t max_batch = 1) {
    BatcherOptions options;
    options.queue = limits;
    options.workers = workers;
    options.max_batch = max_batch;
    options.sweep_interval = milliseconds(1);
    options.clock = clock_.function();
    batcher_ = std::make_unique<Batcher>(options, [this](int32_t, std::span<const QueuedJob> batch, std::span<absl::Status>) {
      gate_.pass();
      executed_ += static_cast<int>(batch.size());
      largest_batch_ = std::max(largest_batch_.load(), static_cast<int>(batch.size()));
    });
  }
  void submit(int count, TimePoint deadline = TimePoint::max(), int64_t bytes = 10,
              std::shared_ptr<std::atomic<bool>> cancelled = nullptr) {
    for (int i = 0; i < count; ++i)
      batcher_->submit({.job = std::make_unique<CountingJob>(outcomes_, cancelled), .deadline = deadline, .bytes = bytes});
  }
  // One request in the backend's hands, which hangs.
  void occupy_the_worker() {
    submit(1);
    ASSERT_TRUE(gate_.wait_for_visitor());
  }
  void open_and_stop() {
    gate_.open();
    batcher_->stop();
  }

  Outcomes outcomes_;
  ManualClock clock_;
  Gate gate_;
  std::atomic<int> executed_{0}, largest_batch_{0};
  std::unique_ptr<Batcher> batcher_;
};

TEST_F(GatedBatcher, RejectsExactlyWhatIsPastTheCount) {
  start({.max_requests = 50, .max_bytes = 1 << 20, .max_wait = milliseconds(1000)});
  occupy_the_worker();
  submit(50 + 13);
  EXPECT_EQ(outcomes_.of(StatusCode::kResourceExhausted), 13);  // at once: the backend still hangs
  EXPECT_EQ(executed_, 0);
  open_and_stop();
  EXPECT_EQ(executed_, 51);
  EXPECT_EQ(outcomes_.of(StatusCode::kOk), 51);
  EXPECT_EQ(outcomes_.total(), 64);
}

TEST_F(GatedBatcher, RejectsExactlyWhatIsPastTheBytes) {
  start({.max_requests = 1000, .max_bytes = 200, .max_wait = milliseconds(1000)});
  occupy_the_worker();
  submit(20 + 9);
  EXPECT_EQ(outcomes_.of(StatusCode::kResourceExhausted), 9);
  open_and_stop();
  EXPECT_EQ(executed_, 21);
}

TEST_F(GatedBatcher, RejectsExactlyWhatWaitedTooLongWhileTheBackendHangs) {
  start({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(100)});
  occupy_the_worker();
  submit(8);
  clock_.advance(milliseconds(60));
  submit(5);
  clock_.advance(milliseconds(50));  // the eight are 110 ms old, the five 50
  EXPECT_TRUE(outcomes_.wait_for_total(8));
  EXPECT_EQ(outcomes_.of(StatusCode::kResourceExhausted), 8);
  open_and_stop();
  EXPECT_EQ(executed_, 1 + 5);
}

TEST_F(GatedBatcher, ExpiredRequestsAreAnsweredWhileTheBackendHangsAndNeverExecuted) {
  start({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)});
  occupy_the_worker();
  submit(40, clock_.now() + milliseconds(30));
  submit(3);
  clock_.advance(milliseconds(30));
  EXPECT_TRUE(outcomes_.wait_for_total(40));
  EXPECT_EQ(outcomes_.of(StatusCode::kDeadlineExceeded), 40);
  EXPECT_EQ(executed_, 0);
  open_and_stop();
  EXPECT_EQ(executed_, 1 + 3);
}

TEST_F(GatedBatcher, CancelledRequestsAreLetGoWhileTheBackendHangsAndNeverExecuted) {
  start({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)});
  occupy_the_worker();
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  submit(25, TimePoint::max(), 10, cancelled);
  submit(2);
  cancelled->store(true);
  EXPECT_TRUE(outcomes_.wait_for_total(25));
  EXPECT_EQ(outcomes_.of(StatusCode::kCancelled), 25);
  open_and_stop();
  EXPECT_EQ(executed_, 1 + 2);
}

// The control of the two tests above: without the timer, nothing is answered while the backend hangs.
TEST_F(GatedBatcher, WithoutItsTimerNothingWouldExpireWhileTheBackendHangs) {
  BatcherOptions options;
  options.max_batch = 1;
  options.sweep_interval = std::chrono::hours(1);
  options.clock = clock_.function();
  batcher_ = std::make_unique<Batcher>(options, [this](int32_t, std::span<const QueuedJob> batch, std::span<absl::Status>) {
    gate_.pass();
    executed_ += static_cast<int>(batch.size());
  });
  occupy_the_worker();
  submit(4, clock_.now() + milliseconds(30));
  clock_.advance(milliseconds(1000));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(outcomes_.total(), 0);
  open_and_stop();
  EXPECT_EQ(outcomes_.of(StatusCode::kDeadlineExceeded), 4);  // the worker looked before it executed
  EXPECT_EQ(executed_, 1);
}

TEST_F(GatedBatcher, WhatComesWhileABatchRunsIsTheNextBatch) {
  start({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)}, 1, 64);
  occupy_the_worker();
  submit(100);
  open_and_stop();
  EXPECT_EQ(largest_batch_, 64);
  EXPECT_EQ(executed_, 101);
}

TEST_F(GatedBatcher, StoppingExecutesWhatWaitsAndTurnsAwayWhatComes) {
  start({.max_requests = 1000, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)});
  occupy_the_worker();
  submit(10);
  std::thread stopper([this] { batcher_->stop(); });
  while (outcomes_.of(StatusCode::kUnavailable) == 0) submit(1);  // until the queue is closed
  gate_.open();
  stopper.join();
  EXPECT_GE(executed_, 11);
  EXPECT_EQ(outcomes_.of(StatusCode::kOk), executed_);
}

// Requests for versions of which everything up to 4 is recorded at the start.
class ParkingBatcher : public GatedBatcher {
 protected:
  void SetUp() override { gate_.open(); }
  void start(QueueLimits parked, QueueLimits queue = {.max_wait = milliseconds(10000)}) {
    parked.waited_too_long = Drop::kNotRecorded;
    BatcherOptions options;
    options.queue = queue;
    options.parked = parked;
    options.newest_version = [this] { return newest_.load(); };
    options.sweep_interval = milliseconds(1);
    options.clock = clock_.function();
    batcher_ = std::make_unique<Batcher>(options, [this](int32_t, std::span<const QueuedJob> batch, std::span<absl::Status>) {
      executed_ += static_cast<int>(batch.size());
    });
  }
  void ask_for(int64_t version, TimePoint deadline = TimePoint::max(), std::shared_ptr<std::atomic<bool>> cancelled = nullptr) {
    batcher_->submit(
        {.job = std::make_unique<CountingJob>(outcomes_, std::move(cancelled)), .deadline = deadline, .bytes = 10, .min_version = version});
  }

  std::atomic<int64_t> newest_{4};
};

TEST_F(ParkingBatcher, WhatIsToComeHoldsNoPlaceInTheQueueAndGoesOnWhenItIsRecorded) {
  start({.max_wait = milliseconds(10000)}, {.max_requests = 1, .max_wait = milliseconds(10000)});
  ask_for(6);
  ask_for(5);
  EXPECT_EQ(batcher_->parked(), 2);
  EXPECT_EQ(batcher_->queued(), 0);
  ask_for(4);
  EXPECT_TRUE(outcomes_.wait_for_total(1)) << "what is recorded does not wait for them";
  newest_ = 5;
  EXPECT_TRUE(outcomes_.wait_for_total(2));
  EXPECT_EQ(batcher_->parked(), 1);
  newest_ = 6;
  EXPECT_TRUE(outcomes_.wait_for_total(3));
  EXPECT_EQ(outcomes_.of(StatusCode::kOk), 3);
  EXPECT_EQ(executed_, 3);
}

// The control: of a batcher that does not know what is recorded nothing is parked.
TEST_F(GatedBatcher, WithoutVersionsNothingIsParked) {
  start({.max_requests = 10, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)});
  gate_.open();
  batcher_->submit({.job = std::make_unique<CountingJob>(outcomes_), .deadline = TimePoint::max(), .bytes = 1, .min_version = 5});
  EXPECT_TRUE(outcomes_.wait_for_total(1));
  EXPECT_EQ(outcomes_.of(StatusCode::kOk), 1);
}

TEST_F(ParkingBatcher, TheDeadlineTheBoundAndTheCallerEndTheWait) {
  start({.max_wait = milliseconds(100)});
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  ask_for(5, clock_.now() + milliseconds(50));
  ask_for(5);
  ask_for(5, TimePoint::max(), cancelled);
  EXPECT_EQ(batcher_->parked(), 3);
  cancelled->store(true);
  EXPECT_TRUE(outcomes_.wait_for_total(1));
  EXPECT_EQ(outcomes_.of(StatusCode::kCancelled), 1);
  clock_.advance(milliseconds(50));
  EXPECT_TRUE(outcomes_.wait_for_total(2));
  EXPECT_EQ(outcomes_.of(StatusCode::kDeadlineExceeded), 1);
  EXPECT_EQ(batcher_->parked(), 1);
  clock_.advance(milliseconds(51));
  EXPECT_TRUE(outcomes_.wait_for_total(3));
  EXPECT_EQ(outcomes_.of(StatusCode::kUnavailable), 1);
  EXPECT_EQ(executed_, 0);
}

TEST_F(ParkingBatcher, ParksExactlyAsManyAsItsBound) {
  start({.max_requests = 3, .max_wait = milliseconds(10000)});
  for (int i = 0; i < 5; ++i) ask_for(5);
  EXPECT_EQ(outcomes_.of(StatusCode::kResourceExhausted), 2);
  newest_ = 5;
  EXPECT_TRUE(outcomes_.wait_for_total(5));
  EXPECT_EQ(executed_, 3);
}

TEST_F(ParkingBatcher, StoppingTurnsAwayWhatIsParkedAndWhatWouldBe) {
  start({.max_wait = milliseconds(10000)});
  ask_for(5);
  batcher_->stop_parking();
  EXPECT_EQ(outcomes_.of(StatusCode::kUnavailable), 1);
  ask_for(5);
  EXPECT_EQ(outcomes_.of(StatusCode::kUnavailable), 2);
  ask_for(4);
  EXPECT_TRUE(outcomes_.wait_for_total(3));
  EXPECT_EQ(executed_, 1) << "what need not wait is still answered";
}

TEST(Batcher, ManyThreadsAndWorkersLoseNothing) {
  Outcomes outcomes;
  std::atomic<int> executed{0};
  BatcherOptions options;
  options.workers = 3;
  options.max_batch = 7;
  options.queue = {.max_requests = 100, .max_bytes = 1 << 20, .max_wait = milliseconds(10000)};
  options.sweep_interval = milliseconds(1);
  {
    Batcher batcher(
        options, [&](int32_t, std::span<const QueuedJob> batch, std::span<absl::Status>) { executed += static_cast<int>(batch.size()); });
    std::vector<std::thread> clients;
    for (int t = 0; t < 4; ++t)
      clients.emplace_back([&] {
        for (int i = 0; i < 2000; ++i)
          batcher.submit({.job = std::make_unique<CountingJob>(outcomes), .deadline = TimePoint::max(), .bytes = 1});
      });
    for (std::thread& client : clients) client.join();
  }
  EXPECT_EQ(outcomes.total(), 8000);
  EXPECT_EQ(outcomes.of(StatusCode::kOk), executed);
  EXPECT_EQ(outcomes.of(StatusCode::kOk) + outcomes.of(StatusCode::kResourceExhausted), 8000);
}

}  // namespace
}  // namespace bouquet::server
