#include "training/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDay = 86400ll * 1000000;

EventLog log_of(std::vector<CustomerIndex> customers, std::vector<int64_t> days = {}, std::vector<int32_t> baskets = {}) {
  EventLog log;
  log.customers = std::move(customers);
  log.items.assign(log.customers.size(), 0);
  log.values.assign(log.customers.size(), 1);
  log.types.assign(log.customers.size(), 0);
  for (const int64_t day : days) log.times.push_back(day * kDay);
  log.baskets = std::move(baskets);
  return log;
}

std::vector<uint8_t> parts(const EventLog& log, std::string_view validation, uint64_t seed = 1) {
  const auto split = split_events(log, *parse_validation(validation), seed);
  EXPECT_TRUE(split.ok()) << split.status();
  return split.ok() ? split->part : std::vector<uint8_t>{};
}

TEST(ParseValidation, ReadsEveryKindAndPrintsItBack) {
  for (const char* text : {"none", "last-days:7", "last-days:0.5", "last-fraction:0.1", "last-event", "last-basket", "random:0.25"}) {
    const auto validation = parse_validation(text);
    ASSERT_TRUE(validation.ok()) << validation.status();
    EXPECT_EQ(to_string(*validation), text);
  }
}

TEST(ParseValidation, SaysWhatIsWrong) {
  const auto message = [](std::string_view text) { return std::string(parse_validation(text).status().message()); };
  EXPECT_THAT(message("lastdays:7"), HasSubstr("it takes none, last-days:N"));
  EXPECT_THAT(message("last-days"), HasSubstr("last-days:7"));
  EXPECT_THAT(message("last-days:seven"), HasSubstr("needs a number"));
  EXPECT_THAT(message("last-days:7d"), HasSubstr("needs a number"));
  EXPECT_THAT(message("last-days:0"), HasSubstr("more than 0"));
  EXPECT_THAT(message("last-days:nan"), HasSubstr("needs a number"));
  EXPECT_THAT(message("random:0.5"), HasSubstr("less than 0.5"));
  EXPECT_THAT(message("last-event:1"), HasSubstr("takes no number"));
  EXPECT_EQ(exit_code(parse_validation("").status()), kExitUsage);
}

TEST(Split, LastDaysCutsTwoPartsOfThatLength) {
  const EventLog log = log_of({0, 0, 0, 0, 1, 1, 1}, {1, 85, 92, 93, 85, 86, 99});
  EXPECT_THAT(parts(log, "last-days:7"), ElementsAre(kFit, kFit, kSelect, kJudge, kFit, kSelect, kJudge));
  const auto split = split_events(log, *parse_validation("last-days:7"), 1);
  EXPECT_EQ(split->judge_time, 92 * kDay + 1);
  EXPECT_EQ(split->select_time, 85 * kDay + 1);
}

TEST(Split, LastFractionKeepsEqualTimesTogether) {
  EXPECT_THAT(parts(log_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), "last-fraction:0.2"),
              ElementsAre(kFit, kFit, kFit, kFit, kFit, kFit, kSelect, kSelect, kJudge, kJudge));
  EXPECT_THAT(parts(log_of({0, 0, 0, 0, 0, 0}, {0, 1, 7, 9, 9, 9}), "last-fraction:0.3"),
              ElementsAre(kFit, kFit, kSelect, kJudge, kJudge, kJudge));
}

TEST(Split, LastEventLeavesSomethingToFitOn) {
  EXPECT_THAT(parts(log_of({kNone, 0, 1, 1, 2, 2, 2, 2}), "last-event"),
              ElementsAre(kFit, kFit, kFit, kJudge, kFit, kFit, kSelect, kJudge));
}

TEST(Split, LastBasketMovesWholeBaskets) {
  const EventLog log = log_of({0, 0, 0, 0, 0, 1, 1, 2, 2, 2}, {}, {5, 5, 6, 7, 7, 8, 8, 9, kNone, kNone});
  EXPECT_THAT(parts(log, "last-basket"), ElementsAre(kFit, kFit, kSelect, kJudge, kJudge, kFit, kFit, kFit, kSelect, kJudge));
}

TEST(Split, RandomDependsOnTheSeedAloneAndTakesItsFraction) {
  std::vector<CustomerIndex> customers;
  for (int c = 0; c < 1000; ++c) customers.insert(customers.end(), 20, c);
  const EventLog log = log_of(customers);
  EXPECT_EQ(parts(log, "random:0.1", 3), parts(log, "random:0.1", 3));
  EXPECT_NE(parts(log, "random:0.1", 3), parts(log, "random:0.1", 4));
  const auto split = split_events(log, *parse_validation("random:0.1"), 3);
  EXPECT_NEAR(static_cast<double>(split->count(kJudge)), 2000, 200);
  EXPECT_NEAR(static_cast<double>(split->count(kSelect)), 2000, 200);
}

TEST(Split, RefusesWhatTheDataCannotGive) {
  const auto error = [](const EventLog& log, std::string_view text) { return split_events(log, *parse_validation(text), 1).status(); };
  EXPECT_THAT(std::string(error(log_of({0, 0}), "last-days:7").message()), HasSubstr("--columns time="));
  EXPECT_THAT(std::string(error(log_of({0, 0}), "last-fraction:0.1").message()), HasSubstr("random:0.1"));
  EXPECT_THAT(std::string(error(log_of({0, 0}), "last-basket").message()), HasSubstr("--columns basket="));
  EXPECT_THAT(std::string(error(log_of({0, 0}, {1, 2}), "last-days:7").message()), HasSubstr("no event is left in the fit part"));
  EXPECT_THAT(std::string(error(log_of({0, 0}), "last-event").message()), HasSubstr("select part"));
  EXPECT_EQ(exit_code(error(log_of({}), "last-event")), kExitBadInput);
}

// Customers in order, each with ascending times, as a Dataset promises.
EventLog arbitrary_log() {
  EventLog log;
  int32_t basket = 0;
  const int anonymous = *rc::gen::inRange(0, 5);
  for (int c = anonymous > 0 ? kNone : 0; c < 12; ++c) {
    int64_t time = *rc::gen::inRange(0, 50);
    const int count = c == kNone ? anonymous : *rc::gen::inRange(1, 9);
    for (int e = 0; e < count; ++e) {
      log.customers.push_back(c);
      log.items.push_back(*rc::gen::inRange(0, 5));
      log.values.push_back(1);
      log.types.push_back(0);
      log.times.push_back((time += *rc::gen::inRange(0, 4)) * kDay);
      if (*rc::gen::inRange(0, 2) == 1) ++basket;
      log.baskets.push_back(*rc::gen::inRange(0, 8) == 0 ? kNone : basket);
    }
    ++basket;
  }
  return log;
}

RC_GTEST_PROP(Split, TimeOrdersThePartsAndNothingIsLost, ()) {
  const EventLog log = arbitrary_log();
  const auto split = split_events(log, *parse_validation(*rc::gen::element("last-days:5", "last-fraction:0.2")), 1);
  RC_PRE(split.ok());
  RC_ASSERT(split->count(kFit) + split->count(kSelect) + split->count(kJudge) == log.size());
  for (size_t e = 0; e < split->part.size(); ++e) {
    RC_ASSERT((split->part[e] == kJudge) == (log.times[e] >= split->judge_time));
    RC_ASSERT((split->part[e] == kFit) == (log.times[e] < split->select_time));
  }
}

RC_GTEST_PROP(Split, EveryCustomerKeepsAHistoryWithOtherCuts, ()) {
  const EventLog log = arbitrary_log();
  const std::string kind = *rc::gen::element<std::string>("last-event", "last-basket", "random:0.4");
  const auto split = split_events(log, *parse_validation(kind), *rc::gen::arbitrary<uint64_t>());
  RC_PRE(split.ok());
  std::set<CustomerIndex> fitted;
  std::map<CustomerIndex, size_t> last_fit, first_judge;
  for (size_t e = 0; e < split->part.size(); ++e) {
    const CustomerIndex customer = log.customers[e];
    if (customer == kNone) RC_ASSERT(split->part[e] == kFit);
    if (split->part[e] == kFit) fitted.insert(customer);
    if (kind == "last-event" && split->part[e] != kJudge) RC_ASSERT(!first_judge.count(customer));
    if (split->part[e] == kJudge) first_judge.emplace(customer, e);
  }
  for (const CustomerIndex customer : log.customers) RC_ASSERT(fitted.count(customer));
}

}  // namespace
}  // namespace bouquet::training
