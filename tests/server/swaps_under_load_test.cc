// R12: a hundred models that come while a server works at 70 % of what it can. The backend's speed is a sleep, so that the capacity does
// not depend on the machine. What is in the answers, hot_swap_test.cc looks at.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "tests/server/paced_backend.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;

constexpr auto kBatchTime = std::chrono::milliseconds(5);
constexpr int kMaxBatch = 4;
constexpr double kCapacity = kMaxBatch / 0.005;  // 800 a second
constexpr double kRate = 0.7 * kCapacity;
constexpr auto kHold = std::chrono::milliseconds(150);
constexpr double kLimit = 0.075;  // half of that later than before: the rest is a busy machine's
constexpr auto kBetweenSwaps = std::chrono::milliseconds(60);

class SwapsUnderLoad : public TestServer {
 protected:
  SwapsUnderLoad() {
    backend_ = std::make_unique<PacedBackend>([this](int32_t) {
      std::this_thread::sleep_for(kBatchTime);
      if (held_up_.exchange(false)) std::this_thread::sleep_for(kHold);
    });
  }
  void SetUp() override {
    publish(random_shop(40, 1, 4, 1));
    ServingOptions made = options();
    made.admin = made.admin_grpc = "";
    made.grpc.max_streams_per_connection = 100000;
    made.poll_interval = std::chrono::hours(1);  // the test says when
    made.batcher.workers = 1;
    made.batcher.max_batch = kMaxBatch;
    start(made);
    stub_ = stub();
    request_.set_customer_id("customer0");
    ASSERT_EQ(send(1)[0].code, StatusCode::OK);  // connected
  }
  std::vector<StepAnswer> send(int count) { return send_at_rate(*stub_, request_, kRate, count); }

  // What is answered meanwhile. `holding_up`: as if the swap made somebody wait.
  std::vector<StepAnswer> send_while_swapping(int swaps, bool holding_up) {
    std::vector<std::string> versions;
    for (int swap = 0; swap < swaps; ++swap) versions.push_back(publish(random_shop(40, 1, 4, static_cast<unsigned>(swap + 2)), false));
    std::atomic<bool> done{false};
    std::vector<StepAnswer> answers;
    std::thread load([&] {
      while (!done.load()) {
        const auto more = send(static_cast<int>(kRate / 4));
        answers.insert(answers.end(), more.begin(), more.end());
      }
    });
    for (const std::string& version : versions) {
      held_up_ = holding_up;
      EXPECT_TRUE(serving_->models().activate(version, false).ok());
      EXPECT_EQ(serving_->models().serving()->model->version(), version);
      std::this_thread::sleep_for(kBetweenSwaps);
    }
    done = true;
    load.join();
    return answers;
  }

  std::atomic<bool> held_up_{false};
  v1::RecommendRequest request_;
  std::unique_ptr<v1::Recommendations::Stub> stub_;
};

TEST_F(SwapsUnderLoad, AHundredAtSeventyPercentFailNothingAndHoldNobodyUp) {
  const auto steady = send(static_cast<int>(3 * kRate));
  const auto swapping = send_while_swapping(100, false);
  EXPECT_EQ(with_code(steady, StatusCode::OK).size(), steady.size());
  EXPECT_EQ(with_code(swapping, StatusCode::OK).size(), swapping.size());
  const double before = latency_s(steady, 0.99), during = latency_s(swapping, 0.99);
  std::printf("%zu calls at %.0f/s of %.0f: p99 %.1f ms before 100 swaps, %.1f ms during them\n", swapping.size(), kRate, kCapacity,
              1e3 * before, 1e3 * during);
  EXPECT_GE(swapping.size(), static_cast<size_t>(4 * kRate));
  EXPECT_LE(during, before + kLimit);
}

// The control: swaps that make one batch wait each.
TEST_F(SwapsUnderLoad, WhoWereHeldUpWouldBeNoticed) {
  const auto steady = send(static_cast<int>(kRate));
  const auto swapping = send_while_swapping(15, true);
  EXPECT_GT(latency_s(swapping, 0.99), latency_s(steady, 0.99) + kLimit);
}

}  // namespace
}  // namespace bouquet::server
