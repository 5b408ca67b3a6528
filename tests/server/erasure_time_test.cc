// R16: how long an erasure takes to hold, of customers with long histories, while others record events.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

constexpr int kCustomers = 5;
constexpr int kCallsEach = 4;
constexpr int kEventsOfACall = 5000;
constexpr double kMostSeconds = 1;

class ErasureTime : public TestServer {
 protected:
  void SetUp() override {
    publish(random_shop(200, 50, 8, 5));
    start_with_store();
  }
  int64_t record_many(const std::string& customer, int events) {
    v1::RecordEventsRequest request;
    for (int e = 0; e < events; ++e) {
      v1::CustomerEvent& event = *request.add_events();
      event.set_customer_id(customer);
      event.mutable_event()->set_item_id("item" + std::to_string(e % 200));
      event.mutable_event()->mutable_time()->set_seconds(1'700'000'000 + e);
    }
    v1::RecordEventsResponse response;
    const grpc::Status status = call_method(&v1::Profiles::Stub::RecordEvents, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return std::ranges::count_if(response.results(), [](const v1::EventResult& result) { return result.code() == 0; });
  }
  bool is_nobody(const std::string& customer) {
    const v1::RecommendResponse response = recommend(customer);
    return std::ranges::find(response.shortfall(), v1::SHORTFALL_COLD_CUSTOMER) != response.shortfall().end();
  }
};

TEST_F(ErasureTime, OfTwentyThousandEventsIsASecondAtMostWhileOthersRecord) {
  for (int c = 0; c < kCustomers; ++c)
    for (int call = 0; call < kCallsEach; ++call) ASSERT_EQ(record_many("customer" + std::to_string(c), kEventsOfACall), kEventsOfACall);
  std::atomic<bool> done{false};
  int64_t beside = 0;
  std::thread others([&] {
    for (int call = 0; !done.load(); ++call) {
      beside += record_many("visitor" + std::to_string(call), 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  double slowest = 0;
  for (int c = 0; c < kCustomers; ++c) {
    const std::string customer = "customer" + std::to_string(c);
    EXPECT_FALSE(is_nobody(customer));
    const auto begin = std::chrono::steady_clock::now();
    const v1::EraseCustomerResponse receipt = erase(customer);
    EXPECT_TRUE(is_nobody(customer)) << "in the first answer after the acknowledgement";
    slowest = std::max(slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    EXPECT_EQ(receipt.events(), kCallsEach * kEventsOfACall);
  }
  done = true;
  others.join();
  std::printf("%d customers of %d events each, %lld events recorded meanwhile: the slowest is nobody after %.0f ms\n", kCustomers,
              kCallsEach * kEventsOfACall, static_cast<long long>(beside), 1e3 * slowest);
  EXPECT_GT(beside, 0);
  EXPECT_LE(slowest, kMostSeconds);
}

}  // namespace
}  // namespace bouquet::server
