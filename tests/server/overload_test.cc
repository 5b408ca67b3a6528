// R1: what a server does with more than it can answer. The backend's speed is a sleep, so that the figures do not depend on the machine.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/server/paced_backend.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;

constexpr auto kBatchTime = std::chrono::milliseconds(25);
constexpr int kMaxBatch = 4;
constexpr int kMaxQueue = 16;
constexpr double kBatchSeconds = 0.025;
constexpr double kCapacity = kMaxBatch / kBatchSeconds;  // 160 a second
// What waits in front of an accepted request, the batch that runs then, and its own.
constexpr double kLongestAnswer = (kMaxQueue / kMaxBatch + 2) * kBatchSeconds;
constexpr double kSlack = 0.06;  // a busy machine's threads come late
constexpr double kStepSeconds = 1.2;
constexpr double kFilled = 0.2;  // the queue is full by then

class Overload : public TestServer {
 protected:
  Overload() {
    backend_ = std::make_unique<PacedBackend>([](int32_t) { std::this_thread::sleep_for(kBatchTime); });
  }
  ServingOptions bounded() const {
    ServingOptions made = options();
    made.admin = made.admin_grpc = "";
    made.grpc.max_streams_per_connection = 100000;  // the queue's bound is what this is about
    made.batcher.workers = 1;
    made.batcher.max_batch = kMaxBatch;
    made.batcher.queue.max_requests = kMaxQueue;
    return made;
  }
  void open(const ServingOptions& made) {
    publish(random_shop(40, 1, 4, 1));
    start(made);
    stub_ = stub();
    request_.set_customer_id("customer0");
    ASSERT_EQ(send(10, 1)[0].code, StatusCode::OK);  // connected
  }
  std::vector<StepAnswer> send(double rate, int count) { return send_at_rate(*stub_, request_, rate, count); }

  v1::RecommendRequest request_;
  std::unique_ptr<v1::Recommendations::Stub> stub_;
};

TEST_F(Overload, StepsOfTwoToTenTimesTheCapacityCostNothingButTheExcess) {
  open(bounded());
  for (const int times : {2, 5, 10}) {
    SCOPED_TRACE(times);
    const double rate = times * kCapacity;
    const auto answers = send(rate, static_cast<int>(rate * kStepSeconds));
    const auto accepted = with_code(answers, StatusCode::OK), refused = with_code(answers, StatusCode::RESOURCE_EXHAUSTED);
    const double good = goodput(answers, kFilled, kStepSeconds, kLongestAnswer + kSlack);
    std::printf("%2d times %.0f/s: goodput %.0f/s; accepted p99 %.0f ms; %zu refused, p99 %.1f ms\n", times, kCapacity, good,
                1e3 * latency_s(accepted, 0.99), refused.size(), 1e3 * latency_s(refused, 0.99));
    EXPECT_EQ(accepted.size() + refused.size(), answers.size());
    EXPECT_GE(good, 0.9 * kCapacity);
    EXPECT_LE(latency_s(accepted, 0.99), kLongestAnswer + kSlack);
    EXPECT_LE(latency_s(refused, 0.99), 0.02 + kSlack);
    EXPECT_GE(static_cast<double>(refused.size()), (rate - 1.2 * kCapacity) * kStepSeconds - kMaxQueue - kMaxBatch);
    for (const StepAnswer& no : refused) ASSERT_TRUE(no.pushed_back);

    // A step down to half of the capacity: whatever comes after the queue has drained is answered as if nothing had been.
    const auto after = send(kCapacity / 2, 48);
    for (const StepAnswer& answer : after) {
      if (answer.due_s > kLongestAnswer) {
        EXPECT_EQ(answer.code, StatusCode::OK) << answer.due_s;
      }
    }
    EXPECT_LE(latency_s(with_code(after, StatusCode::OK), 0.5), 2 * kBatchSeconds + kSlack);
  }
}

// The control: without bounds everybody is accepted, and soon everybody waits for longer than an answer is worth.
TEST_F(Overload, WithoutTheQueuesBoundGoodputCollapses) {
  ServingOptions unbounded = bounded();
  unbounded.batcher.queue.max_requests = 1 << 30;
  unbounded.batcher.queue.max_wait = std::chrono::hours(1);
  open(unbounded);
  const auto answers = send(5 * kCapacity, static_cast<int>(5 * kCapacity * 0.8));
  EXPECT_EQ(with_code(answers, StatusCode::OK).size(), answers.size());
  EXPECT_GT(latency_s(answers, 0.99), 4 * kLongestAnswer);
  EXPECT_LT(goodput(answers, 0.5, 0.8, kLongestAnswer + kSlack), 0.1 * kCapacity);
}

// The other bound: a queue that is long enough for everybody still turns away who has waited too long.
TEST_F(Overload, ABoundOnTheWaitKeepsAcceptedAnswersQuickToo) {
  ServingOptions timed = bounded();
  timed.batcher.queue.max_requests = 1 << 30;
  timed.batcher.queue.max_wait = std::chrono::milliseconds(100);
  open(timed);
  const auto answers = send(5 * kCapacity, static_cast<int>(5 * kCapacity * 0.8));
  const auto accepted = with_code(answers, StatusCode::OK), refused = with_code(answers, StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(accepted.size() + refused.size(), answers.size());
  EXPECT_LE(latency_s(accepted, 0.99), 0.1 + 2 * kBatchSeconds + kSlack);
  EXPECT_LE(latency_s(refused, 0.99), 0.1 + 0.02 + kSlack);
  EXPECT_GE(goodput(answers, kFilled, 0.8, 0.1 + 2 * kBatchSeconds + kSlack), 0.9 * kCapacity);
}

}  // namespace
}  // namespace bouquet::server
