// R14: the device is lost while the server answers, or full when a model comes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "engine/device_loss.h"
#include "engine/errors.h"
#include "server/serve_command.h"
#include "server/standby_backend.h"
#include "tests/server/failing_backend.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class DeviceLoss : public TestServer {
 protected:
  void open(bool with_standby) {
    auto device = std::make_unique<FailingBackend>(fault_);
    if (with_standby) {
      auto both = std::make_unique<StandbyBackend>(std::move(device), *cpu::make_cpu_backend(1));
      standby_ = both.get();
      backend_ = std::move(both);
    } else {
      backend_ = std::move(device);
    }
    if (!std::filesystem::exists(models_)) publish(shop_);
    ServingOptions made = options();
    made.poll_interval = std::chrono::hours(1);  // the test says when
    if (with_standby) made.degraded = [this] { return standby_->lost_because(); };
    start(made);
  }
  void close() {
    serving_.reset();
    backend_.reset();
  }

  template <typename Service, typename Request, typename Response>
  void ask(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request) {
    Response response;
    const grpc::Status status = call_method(method, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    response.clear_model_version();
    answers_.push_back(bytes_without_name(response));
  }
  // Every kind of question, before and after a new model. What they were answered.
  std::vector<std::string> live() {
    answers_.clear();
    for (const char* customer : {"customer0", "customer3"}) {
      v1::RecommendRequest known;
      known.set_customer_id(customer);
      ask(&v1::Recommendations::Stub::Recommend, known);
      v1::RecommendRequest visitor;
      visitor.mutable_visitor()->add_events()->set_item_id("item7");
      ask(&v1::Recommendations::Stub::Recommend, visitor);
      v1::SimilarItemsRequest similar;
      similar.set_item_id("item1");
      ask(&v1::Recommendations::Stub::SimilarItems, similar);
      v1::SimilarCustomersRequest alike;
      alike.set_customer_id(customer);
      ask(&v1::Audiences::Stub::SimilarCustomers, alike);
      publish(shop_);
      EXPECT_TRUE(serving_->models().refresh().ok());
    }
    return answers_;
  }

  const TinyShop shop_ = random_shop(40, 8, 4, 1);
  const std::shared_ptr<Fault> fault_ = std::make_shared<Fault>();
  const absl::Status lost_ = device_lost("the bus is on fire");
  const StandbyBackend* standby_ = nullptr;
  std::vector<std::string> answers_;
};

TEST_F(DeviceLoss, AtAnyCallChangesNoAnswer) {
  open(true);
  const std::vector<std::string> right = live();
  const int64_t calls = fault_->calls();
  ASSERT_GT(calls, 20) << "the device is asked";
  for (int64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << calls);
    close();
    fault_->begin(n, lost_);
    open(true);
    EXPECT_EQ(live(), right);
    EXPECT_EQ(standby_->lost_because(), "the bus is on fire");
    fault_->end();
  }
  std::printf("lost at each of %d calls\n", static_cast<int>(calls));
}

TEST_F(DeviceLoss, UnderLoadFailsNothingAndIsSaid) {
  open(true);
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  const auto client = stub();
  httplib::Client pages("http://" + serving_->admin_address());
  EXPECT_EQ(pages.Get("/readyz")->body, "ready\n");
  ASSERT_EQ(send_at_rate(*client, request, 10, 1)[0].code, StatusCode::OK);  // connected
  auto load = std::async(std::launch::async, [&] { return send_at_rate(*client, request, 200, 300); });
  std::this_thread::sleep_for(milliseconds(700));
  fault_->begin(1, lost_);
  const auto answers = load.get();
  std::printf("slowest answer %.1f ms\n", 1e3 * latency_s(answers, 1));
  EXPECT_EQ(with_code(answers, StatusCode::OK).size(), answers.size());
  EXPECT_LE(latency_s(answers, 1), 0.1);
  serving_->update_health();
  EXPECT_EQ(pages.Get("/readyz")->status, 200);
  EXPECT_EQ(pages.Get("/readyz")->body, "degraded: the bus is on fire\n");
  EXPECT_THAT(pages.Get("/metrics")->body, HasSubstr("\nbouquet_degraded 1"));
}

// The control.
TEST_F(DeviceLoss, FailsRequestsWhereNothingStandsBy) {
  open(false);
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  v1::RecommendResponse response;
  EXPECT_TRUE(call_method(&v1::Recommendations::Stub::Recommend, request, &response).ok());
  fault_->begin(1, lost_);
  EXPECT_EQ(call_method(&v1::Recommendations::Stub::Recommend, request, &response).error_code(), StatusCode::INTERNAL);
}

// A device that is full is not lost: the new model is refused, whichever call of its loading fails, and the old one stays on the device.
TEST_F(DeviceLoss, IsNotWhatAFullDeviceIsTakenFor) {
  open(true);
  const std::string first = serving_->models().serving()->model->version();
  const int64_t before = fault_->calls();
  const std::string other = publish(shop_, false);
  EXPECT_TRUE(serving_->models().activate(other, true).ok());
  const int64_t calls = fault_->calls() - before;
  ASSERT_GT(calls, 2);
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  for (int64_t n = 1; n <= calls; ++n) {
    fault_->begin(n, absl::ResourceExhaustedError("4 GiB are wanted, 3 are free"));
    EXPECT_TRUE(absl::IsResourceExhausted(serving_->models().activate(other, false)));
    fault_->end();
    v1::RecommendResponse response;
    EXPECT_TRUE(call_method(&v1::Recommendations::Stub::Recommend, request, &response).ok());
    EXPECT_EQ(response.model_version(), first);
  }
  EXPECT_EQ(standby_->lost_because(), "");
}

// What --on-device-loss says: whoever asks is answered, and a process that may get the device back can be started.
TEST_F(DeviceLoss, EndsTheProgramWhereItIsToldTo) {
  publish(shop_);
  const ServingOptions made = options();
  CLI::App app;
  int exit_code = -1;
  const auto backends = [this](const BackendChoice& choice) -> absl::StatusOr<std::unique_ptr<Backend>> {
    if (choice.name == "cpu") return cpu::make_cpu_backend(1);
    return std::make_unique<FailingBackend>(fault_);
  };
  add_serve_command(app, backends, exit_code);
  std::vector<std::string> words = {"serve",   "--models",         models_,        "--listen",      made.listen,
                                    "--admin", made.admin,         "--admin-grpc", made.admin_grpc, "--lame-duck-ms",
                                    "0",       "--on-device-loss", "exit"};
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  std::thread program([&] { app.parse(words); });
  const auto client = v1::Recommendations::NewStub(channel_to(made.listen));
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  const auto ask = [&] {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::RecommendResponse response;
    return client->Recommend(&context, request, &response).error_code();
  };
  EXPECT_EQ(ask(), StatusCode::OK);
  fault_->begin(1, lost_);
  EXPECT_EQ(ask(), StatusCode::OK);
  program.join();
  EXPECT_EQ(exit_code, kExitNoResource);
}

}  // namespace
}  // namespace bouquet::server
