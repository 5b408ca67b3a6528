#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

// A shop whose every score is `mark`: an answer tells which model its rows came from.
TinyShop marked_shop(int mark) {
  TinyShop shop;
  for (int i = 0; i < 40; ++i) shop.items.push_back({.id = "item" + std::to_string(i), .vector = {static_cast<float>(mark), 0}});
  shop.customers = {{.id = "c", .profile = {1, 0}}};
  return shop;
}

class HotSwap : public TestServer {
 protected:
  // Publishes a marked shop; the version is known to answers() from then on.
  std::string publish_marked(int mark) {
    const std::string version = publish(marked_shop(mark), false);
    const std::lock_guard lock(mutex_);
    mark_of_[version] = static_cast<float>(mark);
    return version;
  }
  void make_current(const std::string& version) {
    auto directory = ModelsDirectory::open_existing(models_);
    ASSERT_TRUE(directory->activate(version).ok());
  }
  // Flips one byte in the middle of every array of the version.
  void damage(const std::string& version) const {
    for (const auto& file : std::filesystem::directory_iterator(models_ + "/" + version)) {
      if (file.path().filename() == "manifest.json" || file.file_size() == 0) continue;
      std::filesystem::permissions(file.path(), std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      const auto middle = static_cast<std::streamoff>(file.file_size() / 2);
      stream.seekg(middle);
      const char byte = static_cast<char>(stream.get() ^ 0x10);
      stream.seekp(middle);
      stream.put(byte);
    }
  }
  // Whether all of the answer comes from the version that it names.
  bool of_one_version(const v1::RecommendResponse& response) {
    const std::lock_guard lock(mutex_);
    const auto mark = mark_of_.find(response.model_version());
    if (mark == mark_of_.end() || response.results_size() != 10) return false;
    for (const auto& row : response.results())
      if (row.score() != mark->second) return false;
    return true;
  }
  // Asks until told to stop.
  void ask() {
    const auto client = stub();
    v1::RecommendRequest request;
    request.set_customer_id("c");
    std::vector<double> steady, swapping;
    while (!done_.load()) {
      grpc::ClientContext context;
      v1::RecommendResponse response;
      const auto began = std::chrono::steady_clock::now();
      const grpc::Status status = client->Recommend(&context, request, &response);
      const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
      (swapping_.load() ? swapping : steady).push_back(ms);
      ++asked_;
      if (!status.ok()) ++failed_;
      if (status.ok() && !of_one_version(response)) ++mixed_;
    }
    const std::lock_guard lock(mutex_);
    steady_ms_.insert(steady_ms_.end(), steady.begin(), steady.end());
    swapping_ms_.insert(swapping_ms_.end(), swapping.begin(), swapping.end());
  }
  static double p99(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[(values.size() * 99 - 1) / 100];
  }

  std::mutex mutex_;
  std::map<std::string, float> mark_of_;
  std::vector<double> steady_ms_, swapping_ms_;
  std::atomic<bool> done_{false}, swapping_{false};
  std::atomic<int> asked_{0}, failed_{0}, mixed_{0};
};

TEST_F(HotSwap, AHundredSwapsUnderLoadOneInFiveBadFailNothing) {
  std::string good = publish_marked(1);
  make_current(good);
  ServingOptions serving_options = options();
  serving_options.poll_interval = std::chrono::hours(1);  // the test says when
  start(serving_options);
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i) clients.emplace_back([this] { ask(); });
  while (asked_.load() < 1000) std::this_thread::yield();
  swapping_ = true;
  int refused = 0;
  for (int swap = 2; swap <= 101; ++swap) {
    const std::string version = publish_marked(swap);
    const bool bad = swap % 5 == 0;
    make_current(version);
    if (bad) damage(version);  // after it was made current, which looks at it
    EXPECT_EQ(serving_->models().refresh().ok(), !bad) << swap;
    if (bad) ++refused;
    if (!bad) good = version;
    EXPECT_EQ(serving_->models().serving()->model->version(), good);
    const int before = asked_.load();
    while (asked_.load() < before + 4) std::this_thread::yield();  // every version answers something
    std::filesystem::remove_all(models_ + "/" + (bad ? version : std::string("none")));
  }
  done_ = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, 20);
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(mixed_, 0);
  EXPECT_GE(swapping_ms_.size(), 400);
  std::printf("p99 of a call: %.2f ms before the swaps, %.2f ms during them\n", p99(steady_ms_), p99(swapping_ms_));
  // Publishing, verifying and loading share this machine's processors with the calls; what must not happen is that calls wait for them.
  EXPECT_LE(p99(swapping_ms_), 5 * p99(steady_ms_) + 20);
}

// The control: an answer whose rows and version disagree is noticed.
TEST_F(HotSwap, AMixedAnswerWouldBeNoticed) {
  const std::string version = publish_marked(1);
  make_current(version);
  start(options());
  const auto client = stub();
  v1::RecommendRequest request;
  request.set_customer_id("c");
  grpc::ClientContext context;
  v1::RecommendResponse response;
  ASSERT_TRUE(client->Recommend(&context, request, &response).ok());
  EXPECT_TRUE(of_one_version(response));
  response.mutable_results(3)->set_score(2);
  EXPECT_FALSE(of_one_version(response));
}

TEST_F(HotSwap, TheWatcherFindsANewVersionByItself) {
  make_current(publish_marked(1));
  start(options());
  const std::string second = publish_marked(2);
  make_current(second);
  for (int i = 0; i < 2000 && serving_->models().serving()->model->version() != second; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(serving_->models().serving()->model->version(), second);
}

TEST_F(HotSwap, ARefusedVersionIsReportedOnceAndTriedAgainAfterAnother) {
  class Counting : public ModelObserver {
   public:
    void model_loaded(const ServedModel&, double) override { ++loaded; }
    void model_refused(const std::string&, const absl::Status&) override { ++refused; }
    int loaded = 0, refused = 0;
  } counting;
  const std::string first = publish_marked(1), second = publish_marked(2);
  make_current(first);
  ModelStore store(*ModelsDirectory::open_existing(models_), *backend_, {}, &counting);
  ASSERT_TRUE(store.refresh().ok());
  make_current(second);
  damage(second);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(store.refresh().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(counting.refused, 1);
  EXPECT_EQ(store.serving()->model->version(), first);
  make_current(first);
  EXPECT_TRUE(store.refresh().ok());
  EXPECT_EQ(counting.loaded, 1);  // it never stopped serving
  EXPECT_EQ(store.activate(second, false).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*ModelsDirectory::open_existing(models_)->current(), first);  // a bad version is never made current by the server
}

// A version that cannot be served as long as `why` is not Ok.
class RefusedVersion : public HotSwap {
 protected:
  void open(absl::Status why, std::chrono::milliseconds retry_interval) {
    make_current(publish_marked(1));
    why_ = std::move(why);
    ModelStoreOptions options;
    options.retry_interval = retry_interval;
    options.prepare = [this](const std::shared_ptr<const ServedModel>& model) -> absl::StatusOr<std::shared_ptr<const ServedModel>> {
      ++tries_;
      if (!why_.ok()) return why_;
      return model;
    };
    model_store_ = std::make_unique<ModelStore>(*ModelsDirectory::open_existing(models_), *backend_, std::move(options));
    EXPECT_EQ(model_store_->refresh(), why_);
    EXPECT_EQ(model_store_->refresh().code(), why_.code());
  }

  absl::Status why_;
  int tries_ = 0;
  std::unique_ptr<ModelStore> model_store_;
};

TEST_F(RefusedVersion, IsTriedAgainWhereTheReasonMayPass) {
  open(absl::ResourceExhaustedError("no memory"), std::chrono::milliseconds(0));
  EXPECT_EQ(tries_, 2);
  why_ = absl::OkStatus();
  EXPECT_TRUE(model_store_->refresh().ok());
  EXPECT_NE(model_store_->serving(), nullptr);
}

TEST_F(RefusedVersion, IsTriedAgainNoSoonerThanTheInterval) {
  open(absl::UnavailableError("the device is lost"), std::chrono::hours(1));
  EXPECT_EQ(tries_, 1);
}

TEST_F(RefusedVersion, IsNotTriedAgainWhereTheVersionIsAtFault) {
  open(absl::DataLossError("damaged"), std::chrono::milliseconds(0));
  why_ = absl::OkStatus();
  EXPECT_EQ(model_store_->refresh().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(tries_, 1);
}

}  // namespace
}  // namespace bouquet::server
