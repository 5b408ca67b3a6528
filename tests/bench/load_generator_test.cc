// The load generator against a server whose answers the test decides.
#include "bench/load_generator.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "bench/call_mix.h"
#include "bouquet/bench/v1/echo.grpc.pb.h"
#include "engine/errors.h"
#include "server/grpc_listener.h"

namespace bouquet::bench {
namespace {

using ::testing::HasSubstr;

// Echoes; every `refuse_each`-th call is RESOURCE_EXHAUSTED, and call `stall_at` holds all for `stall`.
class DecidedEcho final : public v1::EchoService::Service {
 public:
  grpc::Status Echo(grpc::ServerContext*, const v1::EchoRequest* request, v1::EchoResponse* response) override {
    const std::lock_guard lock(mutex_);
    ++calls_[request->text()];
    const int64_t call = ++count_;
    if (call == stall_at) std::this_thread::sleep_for(stall);
    if (refuse_each > 0 && call % refuse_each == 0) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "by the test"};
    response->set_text(request->text());
    return grpc::Status::OK;
  }
  std::map<std::string, int64_t> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  int64_t refuse_each = 0, stall_at = 0;
  std::chrono::milliseconds stall{0};

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int64_t> calls_;
  int64_t count_ = 0;
};

class LoadGenerator : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto address = server::parse_listen_address("listen", "127.0.0.1:0");
    auto listener = server::GrpcListener::start(*address, {&echo_}, {});
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    plan_.address = listener_->address();
    plan_.connections = 4;
    plan_.warm_up_seconds = 0;
    plan_.seconds = 20;
  }
  void TearDown() override { listener_->drain(std::chrono::milliseconds(0)); }

  static LoadKind kind(const std::string& text, double share = 1) {
    v1::EchoRequest request;
    request.set_text(text);
    const std::string bytes = request.SerializeAsString();
    return {.name = text,
            .method = "/bouquet.bench.v1.EchoService/Echo",
            .share = share,
            .requests = {bytes},
            .answers = {{.before = bytes, .after = {}, .has_name = false}}};
  }
  LoadResult run() {
    auto result = run_load(plan_);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : LoadResult();
  }

  DecidedEcho echo_;
  std::unique_ptr<server::GrpcListener> listener_;
  LoadPlan plan_;
};

TEST_F(LoadGenerator, CountsEachStatusAndTimesTheGoodAnswersAlone) {
  plan_.kinds = {kind("a")};
  plan_.max_requests = 400;
  echo_.refuse_each = 4;
  const CallCounts all = run().all();
  EXPECT_EQ(all.ok(), 300);
  EXPECT_EQ(all.failed(), 100);
  EXPECT_EQ(all.wrong, 0);
  EXPECT_EQ(all.latencies.count(), 300);
  EXPECT_EQ(all.as_json()["by_code"].dump(), R"({"OK":300,"RESOURCE_EXHAUSTED":100})");
}

TEST_F(LoadGenerator, ComparesAnswers) {
  plan_.kinds = {kind("a")};
  plan_.kinds[0].answers[0].before += "x";
  plan_.max_requests = 40;
  EXPECT_EQ(run().all().wrong, 40);
}

TEST_F(LoadGenerator, EachKindHasItsShare) {
  plan_.kinds = {kind("a", 80), kind("b", 15), kind("c", 5)};
  plan_.max_requests = 1000;
  plan_.threads = 2;
  const LoadResult result = run();
  EXPECT_EQ(echo_.calls(), (std::map<std::string, int64_t>{{"a", 800}, {"b", 150}, {"c", 50}}));
  ASSERT_EQ(result.kinds.size(), 3u);
  EXPECT_EQ(result.kinds[0].ok(), 800);
  EXPECT_EQ(result.kinds[1].ok(), 150);
  EXPECT_EQ(result.kinds[2].ok(), 50);
  EXPECT_EQ(result.all().ok(), 1000);
}

// 200 calls are due in a second; the server stands still for half of it. A hundred of them are late, whenever they were sent.
TEST_F(LoadGenerator, AServerThatStandsStillCannotHideIt) {
  plan_.kinds = {kind("a")};
  plan_.max_requests = 200;
  plan_.rate = 200;
  plan_.max_outstanding = 1;  // as a caller who waits for each answer
  echo_.stall_at = 50;
  echo_.stall = std::chrono::milliseconds(500);
  const LoadResult open = run();
  EXPECT_EQ(open.all().ok(), 200);
  EXPECT_GT(open.all().latencies.quantile_ms(.75), 100);
  EXPECT_GT(open.lateness.quantile_ms(.75), 100) << "they waited to be sent";
}

// The control: counted from when they were sent, one call of the same server is late.
TEST_F(LoadGenerator, InAClosedLoopItCan) {
  plan_.kinds = {kind("a")};
  plan_.max_requests = 200;
  plan_.connections = 1;
  echo_.stall_at = 50;
  echo_.stall = std::chrono::milliseconds(500);
  const LoadResult closed = run();
  EXPECT_EQ(closed.all().ok(), 200);
  EXPECT_LT(closed.all().latencies.quantile_ms(.75), 100);
  EXPECT_GE(closed.all().latencies.quantile_ms(1), 500);
}

TEST_F(LoadGenerator, TheMeterIsReadWhenCountingBeginsAndAtTheEnd) {
  plan_.kinds = {kind("a")};
  plan_.max_requests = 50;
  double readings = 0;
  plan_.meter = [&] { return 10 * (readings += 1); };
  EXPECT_EQ(run().metered, 10);
  EXPECT_EQ(readings, 2);
}

TEST_F(LoadGenerator, RefusesWhatMakesNoLoad) {
  EXPECT_EQ(run_load(plan_).status().code(), absl::StatusCode::kInvalidArgument);
  for (LoadKind wrong : {kind("a", 0), kind("a", -1), LoadKind{.name = "none", .method = "/a/b", .requests = {}, .answers = {}}}) {
    plan_.kinds = {wrong};
    EXPECT_EQ(run_load(plan_).status().code(), absl::StatusCode::kInvalidArgument);
  }
  plan_.kinds = {kind("a")};
  plan_.address = "192.0.2.1:50051";
  EXPECT_EQ(run_load(plan_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CallMix, IsReadAsItIsWritten) {
  const auto mix = parse_mix("recommend=80,record=15,profile=2.5,similar=2.5");
  ASSERT_TRUE(mix.ok()) << mix.status();
  ASSERT_EQ(mix->size(), 4u);
  EXPECT_EQ((*mix)[1].kind, CallKind::kRecord);
  EXPECT_EQ((*mix)[1].share, 15);
  EXPECT_EQ((*mix)[3].kind, CallKind::kSimilar);
  EXPECT_TRUE(writes(*mix));
  EXPECT_FALSE(writes(*parse_mix("recommend=1")));
}

TEST(CallMix, SaysWhatIsWrongWithIt) {
  for (const auto& [text, why] : {std::pair{"", "no kind of call"},
                                  {"recommend=80,buy=2", "'buy'"},
                                  {"recommend", "share of recommend"},
                                  {"recommend=0", "positive"},
                                  {"recommend=nan", "positive"},
                                  {"recommend=80,recommend=2", "twice"}}) {
    const auto mix = parse_mix(text);
    EXPECT_EQ(mix.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(message_of(mix.status())), HasSubstr(why)) << text;
  }
}

TEST(ExpectedAnswerTest, IsAnyNameAndNothingElse) {
  bouquet::v1::RecommendResponse response;
  response.add_results()->set_item_id("tea");
  response.set_attributes_used(3);
  response.set_profile_version(7);
  for (int empty = 0; empty < 2; ++empty) {
    const ExpectedAnswer expected = expected_answer(response);
    EXPECT_FALSE(expected.is(response.SerializeAsString())) << "it has no name";
    for (const size_t length : {1, 100, 300}) {
      auto named = response;
      named.set_recommendation_id(std::string(length, 'n'));
      EXPECT_TRUE(expected.is(named.SerializeAsString())) << length;
      EXPECT_FALSE(expected.is(named.SerializeAsString() + "x"));
      EXPECT_FALSE(expected.is(named.SerializeAsString().substr(0, length)));
      named.set_attributes_used(4);
      EXPECT_FALSE(expected.is(named.SerializeAsString()));
    }
    response.Clear();
  }
  bouquet::v1::Profile profile;
  profile.set_known(true);
  EXPECT_TRUE(expected_answer(profile).is(profile.SerializeAsString()));
}

}  // namespace
}  // namespace bouquet::bench
