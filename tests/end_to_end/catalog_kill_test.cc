// The real server, killed at random moments while callers change items: what was acknowledged is there when it is back, and what was
// under way is there whole or not at all.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bouquet/v1/catalog.grpc.pb.h"
#include "tests/end_to_end/program.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

constexpr int kCallers = 4;
constexpr int kItemsPerCaller = 10;

// One caller sets the stock of its own items, all of one number, which rises with every call.
struct Caller {
  int number = 0;
  int64_t sent = 0, acknowledged = 0;

  std::string id(int item) const { return "item" + std::to_string(number * kItemsPerCaller + item); }
  void run(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = v1::Catalog::NewStub(channel);
    for (;;) {
      v1::UpsertItemsRequest request;
      request.set_request_id(std::to_string(number) + "-" + std::to_string(++sent));
      for (int i = 0; i < kItemsPerCaller; ++i) {
        v1::Item* item = request.add_items();
        item->set_item_id(id(i));
        item->set_stock(static_cast<double>(sent));
      }
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      v1::UpsertItemsResponse response;
      if (!stub->UpsertItems(&context, request, &response).ok()) return;
      acknowledged = sent;
    }
  }
};

TEST(CatalogAfterKill9, HasEverythingThatWasAcknowledgedAndNothingByHalves) {
  const TemporaryFolder folder;
  const std::string models = folder.path() + "/models", store = folder.path() + "/store";
  publish_current(models, random_shop(kCallers * kItemsPerCaller, 5, 4, 3).artifact());
  std::array<Caller, kCallers> callers;
  for (int c = 0; c < kCallers; ++c) callers[static_cast<size_t>(c)].number = c;
  std::mt19937 random(20261125);
  int64_t acknowledged = 0, slowest_ms = 0;
  for (int kills = 0; kills < BOUQUET_KILLS; ++kills) {
    const auto begin = std::chrono::steady_clock::now();
    Program program(models, store, folder.path());
    const auto stub = v1::Catalog::NewStub(program.channel());
    for (Caller& caller : callers) {
      std::map<double, int> stocks;
      for (int i = 0; i < kItemsPerCaller; ++i) {
        grpc::ClientContext context;
        v1::GetItemRequest request;
        request.set_item_id(caller.id(i));
        v1::Item item;
        const grpc::Status status = stub->GetItem(&context, request, &item);
        ASSERT_TRUE(status.ok()) << status.error_message();
        ++stocks[item.stock()];
      }
      ASSERT_EQ(stocks.size(), 1u) << "half of a call, after kill " << kills;
      const auto there = static_cast<int64_t>(stocks.begin()->first);
      EXPECT_GE(there, caller.acknowledged) << "an acknowledged call is lost, after kill " << kills;
      EXPECT_LE(there, caller.sent) << "nobody said so, after kill " << kills;
      caller.acknowledged = there;  // what was there once may not be lost either
    }
    const auto back = std::chrono::steady_clock::now() - begin;
    // The first start makes the store; the others open it again.
    if (kills > 0) slowest_ms = std::max<int64_t>(slowest_ms, std::chrono::duration_cast<std::chrono::milliseconds>(back).count());
    std::vector<std::jthread> threads;
    for (Caller& caller : callers) {
      threads.emplace_back([&caller, &program] { caller.run(program.channel()); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));  // the moment of the kill: nothing is waited for
    program.kill();
    threads.clear();
  }
  for (const Caller& caller : callers) acknowledged += caller.acknowledged;
  std::cout << acknowledged << " calls acknowledged; back within " << slowest_ms << " ms, start and reading included\n";
  EXPECT_LE(slowest_ms, 2000) << "R6: a store is open again within 2 s";
  EXPECT_GT(acknowledged, BOUQUET_KILLS);
}

}  // namespace
}  // namespace bouquet::server
