#include "server/eager_solving.h"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "tests/server/counting_job.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;

// What is solved stands behind a gate.
class EagerSolvingTest : public ::testing::Test, public EagerSolvingObserver {
 protected:
  ~EagerSolvingTest() override { gate_.open(); }
  void solved_ahead(int64_t customers) override { solved_ += customers; }
  void left_to_requests(int64_t customers) override { left_ += customers; }
  void start(const EagerSolvingOptions& options) {
    solving_ = std::make_unique<EagerSolving>(options, *this);
    solving_->start([this](std::span<const std::string> ids) {
      {
        const std::lock_guard lock(mutex_);
        batches_.emplace_back(ids.begin(), ids.end());
      }
      gate_.pass();
      if (solved_ + static_cast<int64_t>(ids.size()) >= wanted_) done_.open();
      return static_cast<int64_t>(ids.size());
    });
  }
  // Until so many are about to be counted, and then have been.
  void open_and_solve(int64_t count) {
    wanted_ = count;
    gate_.open();
    done_.pass();
    solving_->stop();
    EXPECT_EQ(solved_, count);
  }

  std::atomic<int64_t> solved_{0}, left_{0}, wanted_{0};
  Gate gate_, done_;
  std::mutex mutex_;
  std::vector<std::vector<std::string>> batches_;
  std::unique_ptr<EagerSolving> solving_;
};

TEST_F(EagerSolvingTest, WhatComesWhileABatchIsSolvedIsTheNextEachOnce) {
  start({.max_customers = 10, .max_batch = 2});
  solving_->add("ann");
  ASSERT_TRUE(gate_.wait_for_visitor());
  for (const char* id : {"bob", "ann", "bob", "eve", "bob"}) solving_->add(id);
  open_and_solve(4);
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("ann"), ElementsAre("bob", "ann"), ElementsAre("eve")));
  EXPECT_EQ(left_, 0);
}

TEST_F(EagerSolvingTest, LeavesExactlyWhatIsPastItsBoundToTheRequests) {
  start({.max_customers = 3, .max_batch = 2});
  solving_->add("first");
  ASSERT_TRUE(gate_.wait_for_visitor());
  for (int i = 0; i < 8; ++i) solving_->add("c" + std::to_string(i));
  EXPECT_EQ(left_, 5);
  open_and_solve(4);
}

TEST_F(EagerSolvingTest, TellsThoseOfWhomThereIsSomethingNewAndNotWhoWasErased) {
  start({});
  const std::vector<DurableEvent> events{{.customer = 1, .customer_id = "ann", .item_id = "tea", .type = "purchase", .event = {}}};
  const NewAttributes said{.customer_id = "bob", .request_id = "", .values = nullptr};
  const std::vector<DurableAttributes> attributes{{.customer = 2, .said = &said}};
  const std::vector<DurableErasure> erasures{{.customer = 3, .customer_id = "eve", .erasure = {}}};
  const std::vector<DurableMerge> merges{{.from_customer_id = "visitor", .into_customer_id = "zoe"}};
  const std::vector<DurableUnmerge> unmerges{{.from_customer_id = "tom", .into_customer_id = "kim"}};
  solving_->add("first");
  ASSERT_TRUE(gate_.wait_for_visitor());
  solving_->tell({.events = events, .attributes = attributes, .erasures = erasures, .merges = merges, .unmerges = unmerges});
  open_and_solve(6);
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("first"), ElementsAre("ann", "bob", "visitor", "tom", "kim")));
}

TEST_F(EagerSolvingTest, StopsWithWhatIsWaiting) {
  start({.max_batch = 1});
  solving_->add("ann");
  ASSERT_TRUE(gate_.wait_for_visitor());
  solving_->add("bob");
  std::thread stopper([this] { solving_->stop(); });
  gate_.open();
  stopper.join();
  solving_->add("late");
  EXPECT_LE(solved_, 2);
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(batches_[0], ElementsAre("ann"));
}

}  // namespace
}  // namespace bouquet::server
