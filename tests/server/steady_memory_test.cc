// R13: under a load that stays the same, with models that come and go and customers who are erased, memory stays the same too.
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/process_metrics.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMegabyte = 1 << 20;
constexpr double kMostGrowth = 1;  // MB, from the second quarter of the run to the last
constexpr auto kCycle = std::chrono::milliseconds(100);

// Megabytes.
struct Memory {
  double heap, resident;
};

Memory memory_now() {
  const struct mallinfo2 heap = mallinfo2();
  return {static_cast<double>(heap.uordblks + heap.hblkhd) / kMegabyte, static_cast<double>(process_use().resident_bytes) / kMegabyte};
}

class SteadyMemory : public TestServer {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer keeps what is given back";
#endif
    newest_ = publish(shop_);
    start_with_store();
    connection_ = channel();
  }

  // A tenth of a second of a shop's life: the same every time.
  void cycle() {
    for (int c = 0; c < 4; ++c) {
      const std::string customer = "shopper" + std::to_string(c);
      v1::RecordEventsRequest record;
      for (int e = 0; e < 3; ++e) {
        record.add_events()->set_customer_id(customer);
        record.mutable_events(e)->mutable_event()->set_item_id("item" + std::to_string(7 * e));
      }
      call(&v1::Profiles::Stub::RecordEvents, record);
      v1::RecommendRequest recommend;
      recommend.set_customer_id(customer);
      call(&v1::Recommendations::Stub::Recommend, recommend);
      v1::EraseCustomerRequest erase;
      erase.set_customer_id(customer);
      call(&v1::Profiles::Stub::EraseCustomer, erase);
    }
    const std::string before = std::exchange(newest_, publish(shop_));
    EXPECT_TRUE(serving_->models().refresh().ok());
    std::filesystem::remove_all(models_ + "/" + before);
  }
  template <typename Service, typename Request, typename Response>
  void call(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request) {
    grpc::ClientContext context;
    Response response;
    Service client(connection_);
    const grpc::Status status = (client.*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  // How much more there is in the last quarter of the run than in the second, by the mean of each: the store's buffers fill and empty.
  // `besides` is told which share of the run is over.
  double growth(const std::function<void(double share)>& besides = [](double) {}) {
    std::vector<Memory> seen;
    const auto begin = Clock::now();
    const auto share = [&] { return std::chrono::duration<double>(Clock::now() - begin) / std::chrono::seconds(BOUQUET_MEMORY_SECONDS); };
    for (auto next = begin + kCycle; share() < 1; next += kCycle) {
      cycle();
      besides(share());
      seen.push_back(memory_now());
      std::this_thread::sleep_until(next);
    }
    const auto mean = [&](size_t quarter, double Memory::*figure) {
      double sum = 0;
      for (size_t i = 0; i < seen.size() / 4; ++i) sum += seen[quarter * seen.size() / 4 + i].*figure;
      return sum / static_cast<double>(seen.size() / 4);
    };
    const double heap = mean(3, &Memory::heap) - mean(1, &Memory::heap);
    const double resident = mean(3, &Memory::resident) - mean(1, &Memory::resident);
    std::printf("%zu cycles in %d s; from the second to the last quarter: heap %+.2f MB, resident %+.2f MB\n", seen.size(),
                BOUQUET_MEMORY_SECONDS, heap, resident);
    return heap;
  }

  const TinyShop shop_ = random_shop(200, 50, 8, 1);
  std::string newest_;
  std::shared_ptr<grpc::Channel> connection_;
};

TEST_F(SteadyMemory, StaysTheSame) { EXPECT_LE(growth(), kMostGrowth); }

// The control: a leak of two megabytes from quarter to quarter.
TEST_F(SteadyMemory, OfALeakWouldBeNoticed) {
  constexpr size_t kLeak = 1 << 10;
  std::vector<std::unique_ptr<char[]>> leaked;
  EXPECT_GT(growth([&](double share) {
              while (static_cast<double>(leaked.size() * kLeak) < share * 4 * kMegabyte) leaked.push_back(std::make_unique<char[]>(kLeak));
            }),
            kMostGrowth);
}

}  // namespace
}  // namespace bouquet::server
