// The real server, killed at random moments while callers record events and send again what was not acknowledged: what was acknowledged is
// there when it is back, once, and counts in the next answer.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bouquet/v1/profiles.grpc.pb.h"
#include "server/event_store/store_snapshot.h"
#include "tests/end_to_end/program.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

constexpr int kCallers = 4;
constexpr int kEventsPerCall = 5;

// One caller records events of its own customer, numbered in their basket ids. A call that was not acknowledged is sent again as it was.
struct Caller {
  int number = 0;
  int64_t acknowledged = 0;  // calls
  int64_t version = 0;       // of the newest acknowledged event
  int64_t repeated = 0;      // events that had come through though nobody was told

  std::string customer() const { return "customer" + std::to_string(number); }
  void run(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = v1::Profiles::NewStub(channel);
    for (;;) {
      v1::RecordEventsRequest request;
      for (int i = 0; i < kEventsPerCall; ++i) {
        const std::string name = customer() + "-" + std::to_string(acknowledged * kEventsPerCall + i);
        v1::CustomerEvent& said = *request.add_events();
        said.set_customer_id(customer());
        said.mutable_event()->set_item_id("item" + std::to_string((acknowledged + i) % 7));
        said.mutable_event()->set_event_id(name);
        said.mutable_event()->set_basket_id(name);
      }
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      v1::RecordEventsResponse response;
      if (!stub->RecordEvents(&context, request, &response).ok()) return;
      EXPECT_EQ(response.failed(), 0);
      for (const v1::EventResult& result : response.results()) repeated += result.repeated_event() ? 1 : 0;
      version = response.results(kEventsPerCall - 1).profile_version();
      ++acknowledged;
    }
  }
};

// How often each basket id stands in the store, by customer.
std::map<std::string, std::map<std::string, int>> stored(const std::string& store) {
  std::map<std::string, std::map<std::string, int>> out;
  const auto snapshot = StoreSnapshot::open(store);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return out;
  const absl::Status read = (*snapshot)->read([&](const StoreSnapshot::Row& row) {
    ++out[std::string(row.customer_id)][row.event->details.basket_id];
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  return out;
}

int64_t version_now(const Program& program, const std::string& customer) {
  grpc::ClientContext context;
  v1::GetProfileRequest request;
  request.set_customer_id(customer);
  v1::Profile profile;
  const grpc::Status status = v1::Profiles::NewStub(program.channel())->GetProfile(&context, request, &profile);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return profile.profile_version();
}

TEST(RecordedEventsAfterKill9, AreThereOnceAndCount) {
  const TemporaryFolder folder;
  const std::string models = folder.path() + "/models", store = folder.path() + "/store";
  publish_current(models, random_shop(20, kCallers, 4, 3).artifact());
  std::array<Caller, kCallers> callers;
  for (int c = 0; c < kCallers; ++c) callers[static_cast<size_t>(c)].number = c;
  std::mt19937 random(20261125);
  int64_t slowest_ms = 0;
  for (int kills = 0; kills < BOUQUET_KILLS; ++kills) {
    const auto begin = std::chrono::steady_clock::now();
    Program program(models, store, folder.path());
    for (const Caller& caller : callers)
      EXPECT_GE(version_now(program, caller.customer()), caller.version) << "an acknowledged event does not count, after kill " << kills;
    // The first start makes the store; the others open it again.
    const auto back = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    if (kills > 0) slowest_ms = std::max<int64_t>(slowest_ms, back.count());
    std::vector<std::jthread> threads;
    for (Caller& caller : callers) threads.emplace_back([&caller, &program] { caller.run(program.channel()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));  // the moment of the kill: nothing is waited for
    program.kill();
    threads.clear();
  }
  const auto found = stored(store);
  int64_t acknowledged = 0, repeated = 0;
  for (const Caller& caller : callers) {
    const auto& baskets = found.at(caller.customer());
    for (int64_t e = 0; e < caller.acknowledged * kEventsPerCall; ++e)
      EXPECT_TRUE(baskets.contains(caller.customer() + "-" + std::to_string(e))) << "event " << e << " is lost";
    for (const auto& [basket, count] : baskets) EXPECT_EQ(count, 1) << basket;
    EXPECT_LE(static_cast<int64_t>(baskets.size()), (caller.acknowledged + 1) * kEventsPerCall) << "nobody said so";
    acknowledged += caller.acknowledged * kEventsPerCall;
    repeated += caller.repeated;
  }
  std::cout << acknowledged << " events acknowledged, " << repeated << " of them sent again though they had come through; back within "
            << slowest_ms << " ms, start and reading included\n";
  EXPECT_LE(slowest_ms, 2000) << "R6: a store is open again within 2 s";
  EXPECT_GT(acknowledged, BOUQUET_KILLS);
}

}  // namespace
}  // namespace bouquet::server
