// How a server stops, and what it answers while its backend hangs.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/counting_job.h"
#include "tests/server/paced_backend.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// A server whose backend stands behind a gate.
class GatedServer : public TestServer {
 protected:
  GatedServer() {
    backend_ = std::make_unique<PacedBackend>([this](int32_t queries) {
      ranked_ += queries;
      gate_.pass();
    });
    request_.set_customer_id("customer0");
  }
  ~GatedServer() override { gate_.open(); }

  void open(ServingOptions made) {
    publish(random_shop(40, 1, 4, 1));
    made.batcher.workers = 1;
    made.batcher.queue.max_wait = std::chrono::seconds(60);  // however slow this machine is
    start(made);
    stub_ = stub();
  }
  // `count` calls, the first batch of them in the backend's hands and the others in the queue.
  std::future<std::vector<StepAnswer>> send_into_the_gate(int count) {
    auto answers = std::async(std::launch::async, [this, count] { return send_at_rate(*stub_, request_, 1000, count); });
    EXPECT_TRUE(gate_.wait_for_visitor());
    EXPECT_TRUE(becomes_true([&] { return metric("bouquet_queue_depth") + ranked_ == count; }));
    return answers;
  }
  grpc::Status ask(const std::shared_ptr<grpc::Channel>& channel, milliseconds patience) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    v1::RecommendResponse response;
    return v1::Recommendations::NewStub(channel)->Recommend(&context, request_, &response);
  }
  httplib::Result page(const char* path) const { return httplib::Client("http://" + admin_).Get(path); }

  Gate gate_;
  std::atomic<int> ranked_{0};
  v1::RecommendRequest request_;
  std::unique_ptr<v1::Recommendations::Stub> stub_;
};

TEST_F(GatedServer, StoppingFinishesWhatRunsRefusesWhatComesAndIsNotReady) {
  ServingOptions made = options();
  made.lame_duck = milliseconds(300);
  made.drain_grace = std::chrono::seconds(60);  // however slow this machine is
  made.batcher.max_batch = 2;
  open(made);
  const auto early = channel(), late = channel();
  EXPECT_EQ(page("/readyz")->status, 200);
  // Each over a connection of its own: see GrpcListener::drain() of those that share one.
  std::vector<std::future<grpc::Status>> running;
  for (int i = 0; i < 6; ++i)
    running.push_back(std::async(std::launch::async, [&, to = channel()] { return ask(to, std::chrono::minutes(1)); }));
  EXPECT_TRUE(gate_.wait_for_visitor());
  EXPECT_TRUE(becomes_true([&] { return metric("bouquet_queue_depth") + ranked_ == 6; }));

  std::thread stopper([this] { serving_->stop(); });
  EXPECT_TRUE(becomes_true([this] { return page("/readyz")->status == 503; }));
  EXPECT_THAT(page("/readyz")->body, HasSubstr("shutting down"));
  EXPECT_EQ(page("/healthz")->status, 200);  // it still lives
  // Those who have not yet heard of it are answered until the lame-duck time is over; then nobody new is.
  auto before = std::async(std::launch::async, [&] { return ask(early, milliseconds(10000)); });
  EXPECT_TRUE(becomes_true([&] { return ask(late, milliseconds(50)).error_code() == StatusCode::UNAVAILABLE; }));
  for (const auto& call : running) EXPECT_EQ(call.wait_for(milliseconds(0)), std::future_status::timeout);

  gate_.open();
  for (auto& call : running) EXPECT_TRUE(call.get().ok());
  EXPECT_TRUE(before.get().ok());
  stopper.join();
}

// A drain does not wait for ever: calls that still run after the grace are ended, and so is the server.
TEST_F(GatedServer, StoppingGivesUpOnCallsThatOutlastTheGrace) {
  ServingOptions made = options();
  made.drain_grace = milliseconds(100);
  made.batcher.max_batch = 1;
  open(made);
  auto running = send_into_the_gate(3);
  std::thread stopper([this] { serving_->stop(); });
  EXPECT_TRUE(becomes_true([this] { return page("/readyz")->status == 503; }));
  EXPECT_TRUE(becomes_true([&] { return running.wait_for(milliseconds(0)) == std::future_status::ready; }));
  for (const StepAnswer& answer : running.get()) EXPECT_NE(answer.code, StatusCode::OK);
  gate_.open();
  stopper.join();
  EXPECT_EQ(ranked_, 1);  // the two that waited were cancelled, and never executed
}

TEST_F(GatedServer, CallsPastTheirDeadlineAreLetGoWhileTheBackendHangsAndNeverExecuted) {
  ServingOptions made = options();
  made.batcher.max_batch = 1;
  open(made);
  auto running = send_into_the_gate(1);
  const auto expired = send_at_rate(*stub_, request_, 1000, 50, 0.1);
  for (const StepAnswer& answer : expired) EXPECT_EQ(answer.code, StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LE(latency_s(expired, 0.99), 0.1 + 0.15);
  EXPECT_TRUE(becomes_true([this] { return metric("bouquet_queue_depth") == 0; }));
  EXPECT_EQ(ranked_, 1);
  gate_.open();
  EXPECT_EQ(running.get()[0].code, StatusCode::OK);
  EXPECT_EQ(ranked_, 1);
}

// When the batcher finished a job, past the deadline that it had.
class TimedJob final : public Job {
 public:
  TimedJob(TimePoint deadline, Outcomes& outcomes, std::atomic<double>& latest)
      : deadline_(deadline), outcomes_(outcomes), latest_(latest) {}
  Question question() override { return Exchange<v1::RecommendRequest, v1::RecommendResponse>{nullptr, nullptr}; }
  bool cancelled() const override { return false; }
  void finish(const absl::Status& status) override {
    const double late_ms = std::chrono::duration<double, std::milli>(Clock::now() - deadline_).count();
    for (double seen = latest_; late_ms > seen && !latest_.compare_exchange_weak(seen, late_ms);) {
    }
    outcomes_.add(status.code());
  }

 private:
  const TimePoint deadline_;
  Outcomes& outcomes_;
  std::atomic<double>& latest_;
};

// The promise is 20 ms; a busy machine's threads come late.
TEST(Batcher, ExpiredRequestsAreAnsweredSoonAfterTheirDeadlineWhileTheBackendHangs) {
  Gate gate;
  Outcomes hanging, outcomes;
  std::atomic<double> latest{0};
  BatcherOptions options;
  options.queue.max_wait = std::chrono::seconds(10);
  options.max_batch = 1;
  Batcher batcher(options, [&](int32_t, std::span<const QueuedJob>, std::span<absl::Status>) { gate.pass(); });
  batcher.submit({.job = std::make_unique<CountingJob>(hanging)});
  ASSERT_TRUE(gate.wait_for_visitor());
  constexpr int kJobs = 300;
  for (int i = 0; i < kJobs; ++i) {
    const TimePoint deadline = Clock::now() + milliseconds(20 + i % 100);
    batcher.submit({.job = std::make_unique<TimedJob>(deadline, outcomes, latest), .deadline = deadline});
  }
  EXPECT_TRUE(outcomes.wait_for_total(kJobs));
  std::printf("%d expired requests, the latest answered %.1f ms after its deadline\n", kJobs, latest.load());
  EXPECT_EQ(outcomes.of(absl::StatusCode::kDeadlineExceeded), kJobs);
  EXPECT_LE(latest, 150);
  gate.open();
  batcher.stop();
}

}  // namespace
}  // namespace bouquet::server
