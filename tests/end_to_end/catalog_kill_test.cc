// The real server, killed at random moments while callers change items: what was acknowledged is there when it is back, and what was
// under way is there whole or not at all.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bouquet/v1/catalog.grpc.pb.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

constexpr int kCallers = 4;
constexpr int kItemsPerCaller = 10;

class Program {
 public:
  Program(const std::string& models, const std::string& store, const std::string& folder) : address_("unix:" + folder + "/rpc") {
    std::vector<std::string> words = {BOUQUET_PROGRAM, "serve", "--models",     models, "--store",   store, "--listen",  address_,
                                      "--admin",       "",      "--admin-grpc", "",     "--backend", "cpu", "--threads", "1"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, BOUQUET_PROGRAM, nullptr, nullptr, argv.data(), environ), 0);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    channel_ = grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
    EXPECT_TRUE(channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
  }
  ~Program() { kill(); }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const std::string address_;
  pid_t pid_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

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
  {
    auto directory = ModelsDirectory::open(models);
    ASSERT_TRUE(directory.ok()) << directory.status();
    Artifact artifact = random_shop(kCallers * kItemsPerCaller, 5, 4, 3).artifact();
    artifact.version.clear();
    artifact.recipe.options.dimension = artifact.model.dimension;
    ASSERT_TRUE(directory->publish(std::move(artifact), true).ok());
  }
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
    slowest_ms = std::max<int64_t>(slowest_ms, std::chrono::duration_cast<std::chrono::milliseconds>(back).count());
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
  EXPECT_GT(acknowledged, BOUQUET_KILLS);
}

}  // namespace
}  // namespace bouquet::server
