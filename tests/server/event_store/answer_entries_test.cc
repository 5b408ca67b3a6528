// What comes with requests is kept until its time is over, and goes with its customer.
#include "server/event_store/answer_entries.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "server/answer_log.h"
#include "server/event_store/store_check.h"
#include "tests/server/counting_job.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeptAnswers : public ::testing::Test {
 protected:
  std::vector<uint64_t> numbers_of(const std::string& customer) const {
    std::vector<uint64_t> out;
    const absl::Status read = store_.store->scan_answers(customer, [&](const AnswerEntry& entry) { out.push_back(entry.number); });
    EXPECT_TRUE(read.ok()) << read;
    return out;
  }
  std::vector<std::string> problems() const {
    const auto check = check_store(store_.folder());
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? check->problems : std::vector<std::string>{"not read"};
  }

  SmallStore store_;
};

TEST_F(KeptAnswers, AreOfOneCustomerAndStayWhenTheStoreIsOpenedAgain) {
  EXPECT_TRUE(absl::IsNotFound(store_.store->answer_of("ann", 1).status())) << "nothing was ever kept";
  EXPECT_TRUE(store_.keep_answer("ann", 1, "of ann").status.ok());
  EXPECT_TRUE(store_.keep_answer("bob", 1, "of bob").status.ok());
  EXPECT_TRUE(store_.keep_answer("ann", 2, "later").status.ok());
  EXPECT_TRUE(store_.keep_answer("", 3, "of a visitor").status.ok());
  EXPECT_EQ(store_.store->newest_sequence(), 0u) << "no profile has changed";
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store_.store->answer_of("ann", 1)->inputs(), "of ann");
    EXPECT_EQ(store_.store->answer_of("bob", 1)->inputs(), "of bob");
    EXPECT_EQ(store_.store->answer_of("", 3)->inputs(), "of a visitor");
    EXPECT_TRUE(absl::IsNotFound(store_.store->answer_of("bob", 2).status()));
    EXPECT_THAT(numbers_of("ann"), ElementsAre(1, 2));
    EXPECT_EQ(store_.figures().answers, 4u);
    EXPECT_EQ(store_.figures().customers, 0u) << "nobody is met by being asked for";
    EXPECT_THAT(problems(), IsEmpty());
    store_.reopen();
  }
}

TEST_F(KeptAnswers, AreGoneWhenTheirTimeIsOverAndLeaveTheFiles) {
  store_.keep_answer("ann", 1, "a day", kDay);
  store_.keep_answer("ann", 2, "two days", 2 * kDay);
  store_.now += kDay - 1;
  EXPECT_THAT(numbers_of("ann"), ElementsAre(1, 2));
  store_.now += 1;
  EXPECT_THAT(numbers_of("ann"), ElementsAre(2));
  EXPECT_TRUE(absl::IsNotFound(store_.store->answer_of("ann", 1).status()));
  EXPECT_EQ(store_.figures().answers, 2u);
  ASSERT_TRUE(compact(*store_.database).ok());
  EXPECT_EQ(store_.figures().answers, 1u);
  EXPECT_EQ(store_.store->answer_of("ann", 2)->inputs(), "two days");
}

TEST_F(KeptAnswers, GoWithAllIdsOfAPersonWhoIsErased) {
  store_.merge("visitor", "ann");
  store_.keep_answer("visitor", 1, "before");
  store_.keep_answer("ann", 2, "before");
  store_.keep_answer("bob", 3, "of another");
  const int64_t made = store_.now;
  store_.now += kSecond;
  const auto receipt = store_.store->receipt_of(store_.erase("ann").sequence);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->answers(), 2);
  EXPECT_THAT(numbers_of("visitor"), IsEmpty());
  EXPECT_THAT(numbers_of("ann"), IsEmpty());
  EXPECT_THAT(numbers_of("bob"), ElementsAre(3));
  // One that was made before and comes late is not kept; of the id's next life one is.
  EXPECT_EQ(store_.keep_answer("ann", 4, "late", kDay, made).status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(numbers_of("ann"), IsEmpty());
  store_.now += 1;
  EXPECT_TRUE(store_.keep_answer("ann", 5, "new life").status.ok());
  EXPECT_THAT(numbers_of("ann"), ElementsAre(5));
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(KeptAnswers, OfSomebodyWhomNobodyHasMetAreErasedToo) {
  store_.keep_answer("ann", 1, "nothing was recorded");
  store_.now += 1;
  EXPECT_EQ(store_.store->receipt_of(store_.erase("ann").sequence)->answers(), 1);
  EXPECT_THAT(numbers_of("ann"), IsEmpty());
}

// The log in front of the store: what it has no room for is dropped, and nobody waits.
class AnswerLogTest : public KeptAnswers, public AnswerLogObserver {
 protected:
  ~AnswerLogTest() override { gate_.open(); }
  void open(const AnswerLogOptions& options) {
    store_.options.listener = [this](const DurableGroup&) { gate_.pass(); };
    store_.reopen();
    log_ = std::make_unique<AnswerLog>(*store_.store, options, *this);
  }
  void answers_kept(int64_t answers) override { kept_ += answers; }
  void answers_dropped(int64_t answers) override { dropped_ += answers; }
  void answers_failed(int64_t answers) override { failed_ += answers; }
  // The number under which the inputs are; 0: they are dropped.
  uint64_t keep(const std::string& customer, const std::string& inputs) {
    AnswerName name;
    name.set_time(store_.now);
    log_->keep(customer, inputs, name);
    return name.log();
  }

  Gate gate_;
  std::atomic<int64_t> kept_{0}, dropped_{0}, failed_{0};
  std::unique_ptr<AnswerLog> log_;
};

TEST_F(AnswerLogTest, DropsWhatItHasNoRoomForWhileTheDiskHangs) {
  open({.max_answers = 2});
  const uint64_t first = keep("ann", "first");
  ASSERT_TRUE(gate_.wait_for_visitor());
  const uint64_t second = keep("ann", "second"), third = keep("ann", "third");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third) << "made in one microsecond, and still two";
  EXPECT_EQ(keep("ann", "fourth"), 0u);
  EXPECT_EQ(dropped_, 1);
  gate_.open();
  log_.reset();  // writes what waits
  EXPECT_EQ(kept_, 3);
  EXPECT_EQ(failed_, 0);
  EXPECT_THAT(numbers_of("ann"), ElementsAre(first, second, third));
  EXPECT_EQ(store_.store->answer_of("ann", second)->inputs(), "second");
}

TEST_F(AnswerLogTest, DropsWhatIsPastItsBytes) {
  open({.max_bytes = 1000});
  keep("ann", "first");
  ASSERT_TRUE(gate_.wait_for_visitor());
  EXPECT_EQ(keep("ann", std::string(1000, 'x')), 0u);
  EXPECT_NE(keep("ann", std::string(100, 'x')), 0u);
  gate_.open();
  log_.reset();
  EXPECT_EQ(kept_, 2);
  EXPECT_EQ(dropped_, 1);
}

TEST_F(AnswerLogTest, CountsWhatCannotBeWritten) {
  open({});
  gate_.open();
  store_.database_options.reserve_bytes = uint64_t{1} << 60;  // no disk has so much room
  log_.reset();
  store_.reopen();
  log_ = std::make_unique<AnswerLog>(*store_.store, AnswerLogOptions{}, *this);
  keep("ann", "first");
  log_.reset();
  EXPECT_EQ(failed_, 1);
  EXPECT_EQ(kept_, 0);
}

}  // namespace
}  // namespace bouquet::server
