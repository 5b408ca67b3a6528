// R18: servers are stopped and started again one after the other, under load. Clients with the committed service configuration notice
// nothing.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "server/client_channel.h"
#include "server/service_config.h"
#include "tests/server/paced_backend.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

constexpr double kRate = 200;

class RollingRestart : public TestServer {
 protected:
  RollingRestart() {
    backend_ = std::make_unique<PacedBackend>([](int32_t) { std::this_thread::sleep_for(milliseconds(5)); });
    request_.set_customer_id("customer0");
  }

  ServingOptions on_port(const std::string& address) const {
    ServingOptions made = options();
    made.listen = address;
    made.admin = made.admin_grpc = "";
    made.lame_duck = milliseconds(0);  // clients who have not looked at health
    made.drain_grace = grace_;
    if (with_store_) made.store = store_;
    return made;
  }
  void start_server(size_t s) {
    auto serving = Serving::start(on_port(addresses_[s]), *backend_);
    ASSERT_TRUE(serving.ok()) << serving.status();
    servers_[s] = *std::move(serving);
    addresses_[s] = servers_[s]->address();
  }
  void start_both() {
    publish(random_shop(40, 1, 4, 1));
    for (size_t s = 0; s < servers_.size(); ++s) start_server(s);
  }
  // As a rollout does: the next one only once the one before serves again.
  void restart_one_after_the_other(int rounds) {
    for (int round = 0; round < rounds; ++round)
      for (size_t s = 0; s < servers_.size(); ++s) {
        std::this_thread::sleep_for(milliseconds(100));  // the load's calls go to both again
        restart(s);
      }
  }
  void restart(size_t s) {
    servers_[s]->stop();
    servers_[s].reset();
    std::this_thread::sleep_for(milliseconds(100));  // the time that a process takes to come back
    start_server(s);
  }
  std::shared_ptr<grpc::Channel> channel_to_both(grpc::ChannelArguments arguments) const {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("ipv4:" + addresses_[0] + "," + addresses_[1], grpc::InsecureChannelCredentials(), arguments);
  }
  // How many calls of such a client fail while both servers are restarted.
  int failures_in_restarts(const grpc::ChannelArguments& arguments) {
    start_both();
    const auto client = v1::Recommendations::NewStub(channel_to_both(arguments));
    auto load = std::async(std::launch::async, [&] { return send_at_rate(*client, request_, kRate, kCalls, 5); });
    restart_one_after_the_other(3);
    const auto answers = load.get();
    const int failed = kCalls - static_cast<int>(with_code(answers, StatusCode::OK).size());
    std::printf("%d calls, %d failed, p50 %.0f ms, p99 %.0f ms\n", kCalls, failed, 1e3 * latency_s(answers, 0.5),
                1e3 * latency_s(answers, 0.99));
    return failed;
  }
  // Records events, one each call and each with an event_id, through restarts of the one server. Returns how many calls failed.
  int failures_of_events(const grpc::ChannelArguments& arguments, int count) {
    const auto client = v1::Profiles::NewStub(grpc::CreateCustomChannel(addresses_[0], grpc::InsecureChannelCredentials(), arguments));
    int failed = 0;
    for (int i = 0; i < count; ++i) {
      v1::RecordEventsRequest request;
      v1::CustomerEvent& said = *request.add_events();
      said.set_customer_id("shopper");
      said.mutable_event()->set_item_id("item" + std::to_string(i % 40));
      said.mutable_event()->set_event_id("event" + std::to_string(i));
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      v1::RecordEventsResponse response;
      failed += !client->RecordEvents(&context, request, &response).ok() || response.failed() > 0;
      ++ended_;
    }
    done_ = true;
    return failed;
  }
  int events_kept() const {
    const auto client = v1::Profiles::NewStub(channel_to(servers_[0]->address()));
    grpc::ClientContext context;
    v1::ExportCustomerRequest request;
    request.set_customer_id("shopper");
    const auto parts = client->ExportCustomer(&context, request);
    int events = 0;
    for (v1::ExportCustomerResponse part; parts->Read(&part);) events += part.has_event();
    EXPECT_TRUE(parts->Finish().ok());
    return events;
  }

  // Not again before calls have ended since the last time: one that is tried five times must not meet five restarts.
  void restart_until_done() {
    for (int ended = 0; !done_; ended = ended_) {
      std::this_thread::sleep_for(milliseconds(150));
      while (!done_ && ended_ < ended + 2) std::this_thread::sleep_for(milliseconds(1));
      restart(0);
    }
  }

  static constexpr int kCalls = 400;
  std::array<std::unique_ptr<Serving>, 2> servers_;
  std::array<std::string, 2> addresses_{"127.0.0.1:0", "127.0.0.1:0"};
  milliseconds grace_{5000};
  bool with_store_ = false;
  std::atomic<bool> done_{false};
  std::atomic<int> ended_{0};  // calls
  v1::RecommendRequest request_;
};

TEST_F(RollingRestart, OneAfterTheOtherFailsNothing) { EXPECT_EQ(failures_in_restarts(client_arguments()), 0); }

// Servers that do not wait for their calls: these are cut off, and asked again of the other one.
TEST_F(RollingRestart, CallsThatAreCutOffAreTriedAgain) {
  grace_ = milliseconds(0);
  EXPECT_EQ(failures_in_restarts(client_arguments()), 0);
}
// The control: without the service configuration they fail.
TEST_F(RollingRestart, WithoutTheServiceConfigurationTheyFail) {
  grace_ = milliseconds(0);
  EXPECT_GT(failures_in_restarts({}), 0);
}

// There is no other server: calls wait for it. What it had kept before it could say so is kept once.
TEST_F(RollingRestart, EventsOutlastTheRestartsOfTheirOnlyServer) {
  publish(random_shop(40, 1, 4, 1));
  with_store_ = true;
  start_server(0);
  auto failed = std::async(std::launch::async, [this] { return failures_of_events(client_arguments(), 400); });
  restart_until_done();
  EXPECT_EQ(failed.get(), 0);
  EXPECT_EQ(events_kept(), 400);
}
// The control.
TEST_F(RollingRestart, WithoutTheServiceConfigurationEventsDoNot) {
  publish(random_shop(40, 1, 4, 1));
  with_store_ = true;
  start_server(0);
  auto failed = std::async(std::launch::async, [this] { return failures_of_events({}, 400); });
  restart_until_done();
  EXPECT_GT(failed.get(), 0);
}

// A call that is not named would silently have none of this.
TEST(ServiceConfiguration, NamesEveryCallOfTheServer) {
  std::set<std::string> named, known;
  const auto config = nlohmann::json::parse(kServiceConfig);
  for (const auto& method : config["methodConfig"])
    for (const auto& name : method["name"])
      EXPECT_TRUE(named.insert(name["service"].get<std::string>() + "." + name["method"].get<std::string>()).second) << name;
  for (const auto* file : {v1::RecommendRequest::descriptor()->file(), v1::GetProfileRequest::descriptor()->file(),
                           v1::SimilarCustomersRequest::descriptor()->file(), v1::UpsertItemsRequest::descriptor()->file()})
    for (int s = 0; s < file->service_count(); ++s)
      for (int m = 0; m < file->service(s)->method_count(); ++m) known.insert(file->service(s)->method(m)->full_name());
  EXPECT_EQ(named, known);
}

}  // namespace
}  // namespace bouquet::server
