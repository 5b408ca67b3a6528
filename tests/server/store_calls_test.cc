// The Store service: backups, figures and compaction of a store that a server goes on writing to.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bouquet/v1/store.grpc.pb.h"
#include "server/event_store/store_backup.h"
#include "server/event_store/store_snapshot.h"
#include "server/store_service.h"
#include "tests/server/event_store/small_store.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class StoreCalls : public TestServer {
 protected:
  void SetUp() override { publish(shop_); }
  void start_with_backups() {
    ServingOptions with_backups = options();
    with_backups.store = store_;
    with_backups.backups = backups_;
    start(with_backups);
  }
  template <typename Request, typename Response>
  grpc::Status call(grpc::Status (v1::Store::Stub::*method)(grpc::ClientContext*, const Request&, Response*), Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::Store::Stub stub(channel_to(serving_->admin_grpc_address()));
    return (stub.*method)(&context, {}, response);
  }
  int record(v1::Profiles::Stub& stub, const std::string& customer, const std::string& basket) {
    v1::RecordEventsRequest request;
    v1::CustomerEvent& said = *request.add_events();
    said.set_customer_id(customer);
    said.mutable_event()->set_item_id("item0");
    said.mutable_event()->set_basket_id(basket);
    v1::RecordEventsResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub.RecordEvents(&context, request, &response);
    return status.ok() && response.results_size() == 1 ? response.results(0).code() : -1;
  }
  // How often each basket id stands in a store.
  static std::map<std::string, int> baskets(const std::string& folder) {
    std::map<std::string, int> out;
    const auto snapshot = StoreSnapshot::open(folder);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    if (!snapshot.ok()) return out;
    const absl::Status read = (*snapshot)->read([&](const StoreSnapshot::Row& row) {
      ++out[row.event->details.basket_id];
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    return out;
  }

  const TinyShop shop_ = random_shop(60, 10, 8, 5);
  std::string backups_ = folder_.path() + "/backups", restored_ = folder_.path() + "/restored";
};

TEST_F(StoreCalls, ABackupWhileEventsAreWrittenHasEverythingAcknowledgedBeforeOnce) {
  start_with_backups();
  std::atomic<int> acknowledged{0};
  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    v1::Profiles::Stub stub(channel());
    for (int i = 0; !stop.load() && record(stub, "c" + std::to_string(i % 5), "b" + std::to_string(i)) == 0; ++i) acknowledged.store(i + 1);
  });
  std::vector<int> before;
  std::vector<v1::BackUpResponse> made(3);
  for (v1::BackUpResponse& backup : made) {
    const int goal = acknowledged.load() + 50;
    while (acknowledged.load() < goal) std::this_thread::yield();
    before.push_back(acknowledged.load());
    const grpc::Status status = call(&v1::Store::Stub::BackUp, &backup);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  stop.store(true);
  writer.join();
  for (size_t b = 0; b < made.size(); ++b) {
    EXPECT_EQ(made[b].number(), b + 1);
    EXPECT_GE(made[b].profile_version(), before[b]);
    EXPECT_GT(made[b].bytes(), 0);
    EXPECT_GT(made[b].create_time().seconds(), 1'700'000'000);
    const std::string folder = restored_ + std::to_string(b);
    const auto restored = restore_backup(backups_, made[b].number(), folder, {.store = store_});
    ASSERT_TRUE(restored.ok()) << restored.status();
    const auto found = baskets(folder);
    for (int i = 0; i < before[b]; ++i) EXPECT_TRUE(found.contains("b" + std::to_string(i))) << "event " << i << " of backup " << b;
    for (const auto& [basket, count] : found) EXPECT_EQ(count, 1) << basket;
  }
}

TEST_F(StoreCalls, WhoWasErasedAfterTheBackupIsNotInTheStoreRestoredBesideTheServer) {
  start_with_backups();
  v1::Profiles::Stub stub(channel());
  ASSERT_EQ(record(stub, "ann", "of-ann"), 0);
  ASSERT_EQ(record(stub, "bob", "of-bob"), 0);
  v1::BackUpResponse backup;
  ASSERT_TRUE(call(&v1::Store::Stub::BackUp, &backup).ok());
  erase("ann");
  ASSERT_TRUE(restore_backup(backups_, 0, restored_, {.store = store_}).ok());
  EXPECT_EQ(baskets(restored_), (std::map<std::string, int>{{"of-bob", 1}}));
  ASSERT_TRUE(restore_backup(backups_, 0, restored_ + "2", {.store = {}, .from_backups_alone = true}).ok());
  EXPECT_THAT(baskets(restored_ + "2"), SizeIs(2)) << "the control";
  // A server starts with what was restored, and refuses what is sent again of the first life.
  store_ = restored_;
  restart_with_store();
  v1::Profiles::Stub again(channel());
  EXPECT_EQ(record(again, "ann", "of-another-ann"), 0);
  EXPECT_EQ(record(again, "bob", "of-bob-again"), 0);
  v1::StoreStats stats;
  ASSERT_TRUE(call(&v1::Store::Stub::GetStats, &stats).ok());
  EXPECT_EQ(stats.events(), 3);
  EXPECT_EQ(stats.customers(), 2);
}

TEST_F(StoreCalls, StatsAndCompactingAreOfWhatIsThere) {
  start_with_backups();
  v1::StoreStats stats;
  ASSERT_TRUE(call(&v1::Store::Stub::GetStats, &stats).ok());
  EXPECT_EQ(stats.identity().size(), 32u);
  EXPECT_EQ(stats.events(), 0);
  EXPECT_FALSE(stats.has_oldest_event_time());
  v1::Profiles::Stub stub(channel());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(record(stub, "c" + std::to_string(i % 4), "b"), 0);
  ASSERT_TRUE(call(&v1::Store::Stub::GetStats, &stats).ok());
  EXPECT_EQ(stats.events(), 20);
  EXPECT_EQ(stats.customers(), 4);
  EXPECT_EQ(stats.items(), 1);
  EXPECT_EQ(stats.event_types(), 1);
  EXPECT_EQ(stats.profile_version(), 20);
  EXPECT_TRUE(stats.has_newest_event_time());
  EXPECT_GT(stats.log_bytes(), 0);
  v1::CompactResponse compacted;
  ASSERT_TRUE(call(&v1::Store::Stub::Compact, &compacted).ok());
  EXPECT_GT(compacted.bytes_after(), 0);
  ASSERT_TRUE(call(&v1::Store::Stub::GetStats, &stats).ok());
  EXPECT_EQ(stats.table_bytes(), compacted.bytes_after());
  EXPECT_EQ(stats.events(), 20);
  EXPECT_EQ(record(stub, "c1", "later"), 0);
}

TEST_F(StoreCalls, WithoutAFolderOrAStoreTheyAreFailedPreconditions) {
  start_with_store();
  v1::BackUpResponse backup;
  grpc::Status status = call(&v1::Store::Stub::BackUp, &backup);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("--backups"));
  v1::StoreStats stats;
  EXPECT_TRUE(call(&v1::Store::Stub::GetStats, &stats).ok());
  serving_.reset();
  start(options());
  v1::CompactResponse compacted;
  for (const grpc::Status& refused :
       {call(&v1::Store::Stub::BackUp, &backup), call(&v1::Store::Stub::GetStats, &stats), call(&v1::Store::Stub::Compact, &compacted)}) {
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(refused.error_message(), HasSubstr("--store"));
  }
}

TEST_F(StoreCalls, AreNotOnTheListenerOfEverybody) {
  start_with_backups();
  grpc::ClientContext context;
  v1::BackUpResponse backup;
  v1::Store::Stub stub(channel());
  EXPECT_EQ(stub.BackUp(&context, {}, &backup).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_FALSE(std::filesystem::exists(backups_));
}

TEST_F(StoreCalls, BackupsWithoutAStoreOrAnAdminListenerAreRefusedAtTheStart) {
  ServingOptions without = options();
  without.backups = backups_;
  EXPECT_EQ(Serving::start(without, *backend_).status().code(), absl::StatusCode::kInvalidArgument);
  without.store = store_;
  without.admin_grpc.clear();
  EXPECT_EQ(Serving::start(without, *backend_).status().code(), absl::StatusCode::kInvalidArgument);
}

// The service alone, over a store whose files the test holds: a backup has to wait for them.
class HeldStore : public ::testing::Test {
 protected:
  void SetUp() override {
    small_.append_one({.customer = "ann", .item = "tea"});
    auto erased = ErasedFiles::start(*small_.database);
    ASSERT_TRUE(erased.ok()) << erased.status();
    erased_ = *std::move(erased);
    service_ = std::make_unique<StoreService>(small_.database.get(), erased_.get(), small_.place.path() + "/backups");
    const auto address = parse_listen_address("listen", "unix:" + small_.place.path() + "/rpc");
    auto listener = GrpcListener::start(*address, {service_.get()}, {});
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    stub_ = v1::Store::NewStub(grpc::CreateChannel(listener_->address(), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    listener_->drain(std::chrono::milliseconds(0));
    listener_.reset();
  }

  struct Calling {
    grpc::ClientContext context;
    v1::BackUpResponse response;
    std::promise<grpc::Status> ended;
    std::future<grpc::Status> answer = ended.get_future();
  };
  void start_backup(Calling& calling, const std::function<void()>& then) {
    calling.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stub_->async()->BackUp(&calling.context, &request_, &calling.response, [&calling, then](grpc::Status status) {
      then();
      calling.ended.set_value(status);
    });
  }
  // Starts two while the files are held. Returns the one that waits for them, once the other has ended.
  Calling& start_two() {
    for (Calling& calling : callings_)
      start_backup(calling, [&] {
        if (ended_.fetch_add(1) == 0) first_to_end_.set_value(&calling);
      });
    const Calling* aborted = first_to_end_.get_future().get();
    Calling& waiting = aborted == &callings_[0] ? callings_[1] : callings_[0];
    Calling& other = aborted == &callings_[0] ? callings_[0] : callings_[1];
    EXPECT_EQ(other.answer.get().error_code(), grpc::StatusCode::ABORTED);
    return waiting;
  }
  grpc::StatusCode stats() {
    grpc::ClientContext context;
    v1::StoreStats stats;
    return stub_->GetStats(&context, {}, &stats).error_code();
  }

  SmallStore small_;
  std::atomic<bool> never_{false};
  std::unique_ptr<ErasedFiles> erased_;
  std::unique_ptr<StoreService> service_;
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<v1::Store::Stub> stub_;
  const v1::BackUpRequest request_;
  Calling callings_[2];
  std::promise<const Calling*> first_to_end_;
  std::atomic<int> ended_{0};
};

TEST_F(HeldStore, OfTwoCallsAtATimeOneIsAborted) {
  auto held = erased_->hold_files(never_);
  Calling& waiting = start_two();
  EXPECT_EQ(stats(), grpc::StatusCode::ABORTED);
  held.unlock();
  const grpc::Status status = waiting.answer.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stats(), grpc::StatusCode::OK) << "one after the other";
}

TEST_F(HeldStore, ABackupWhoseCallerGoesAwayEnds) {
  const auto held = erased_->hold_files(never_);
  Calling& waiting = start_two();
  EXPECT_EQ(stats(), grpc::StatusCode::ABORTED);
  waiting.context.TryCancel();
  EXPECT_EQ(waiting.answer.get().error_code(), grpc::StatusCode::CANCELLED);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (stats() == grpc::StatusCode::ABORTED) ASSERT_LT(std::chrono::steady_clock::now(), limit);
  EXPECT_FALSE(std::filesystem::exists(small_.place.path() + "/backups"));
}

TEST_F(HeldStore, StoppingTheServerEndsABackup) {
  const auto held = erased_->hold_files(never_);
  Calling& waiting = start_two();
  listener_->drain(std::chrono::milliseconds(0));  // returns, though the files are held for good
  EXPECT_FALSE(waiting.answer.get().ok());
  EXPECT_FALSE(std::filesystem::exists(small_.place.path() + "/backups"));
}

}  // namespace
}  // namespace bouquet::server
