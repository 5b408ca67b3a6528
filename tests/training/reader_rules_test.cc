// The rules of rows, one by one.
#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RowRulesReading : public ReaderTest {
 protected:
  int64_t time_of(const std::string& text) {
    const Dataset dataset = must_read("customer_id,item_id,time\nann,apple," + text + "\nzoe,pear," + text + "\n");
    return dataset.events.times.empty() ? -1 : dataset.events.times[0];
  }
  std::string time_error(const std::string& text) { return error("customer_id,item_id,time\nann,apple," + text + "\n"); }
};

constexpr int64_t kNoon = 1577880000000000;  // 2020-01-01 12:00:00 UTC

TEST_F(RowRulesReading, TimesInEveryForm) {
  EXPECT_EQ(time_of("2020-01-01T12:00:00Z"), kNoon);
  EXPECT_EQ(time_of("2020-01-01t12:00:00z"), kNoon);
  EXPECT_EQ(time_of("2020-01-01T14:00:00+02:00"), kNoon);
  EXPECT_EQ(time_of("2020-01-01T06:30:00-0530"), kNoon);
  EXPECT_EQ(time_of("2020-01-01 11:00:00-01"), kNoon);
  EXPECT_EQ(time_of("2020-01-01 12:00:00"), kNoon);
  EXPECT_EQ(time_of("2020-01-01 12:00"), kNoon);
  EXPECT_EQ(time_of("2020-01-01T12:00:00.250001Z"), kNoon + 250001);
  EXPECT_EQ(time_of("2020-01-01T12:00:00.1234567Z"), kNoon + 123456);
  EXPECT_EQ(time_of("2020-01-01"), kNoon - 12 * 3600 * 1000000ll);
  EXPECT_EQ(time_of("1577880000"), kNoon);
  EXPECT_EQ(time_of("1577880000.5"), kNoon + 500000);
  EXPECT_EQ(time_of("1.57788e9"), kNoon);
  EXPECT_EQ(time_of("1969-12-31 23:59:59"), -1000000);
  EXPECT_EQ(time_of("2000-02-29"), 951782400000000);
}

TEST_F(RowRulesReading, TimesThatAreNone) {
  EXPECT_THAT(time_error("yesterday"), HasSubstr("events.csv:2: column time: 'yesterday' is not a time"));
  EXPECT_THAT(time_error("2020-13-01"), HasSubstr("is no day of the calendar"));
  EXPECT_THAT(time_error("2021-02-29"), HasSubstr("is no day of the calendar"));
  EXPECT_THAT(time_error("1900-02-29"), HasSubstr("is no day of the calendar"));
  EXPECT_THAT(time_error("2020-01-01 24:00:00"), HasSubstr("is no time of day"));
  EXPECT_THAT(time_error("2020-01-01 12:00:00 PM"), HasSubstr("is not a time"));
  EXPECT_THAT(time_error("2020-01-01T12:00:00+25:00"), HasSubstr("is not a time"));
  EXPECT_THAT(time_error("01/02/2020"), HasSubstr("is not a time"));
  EXPECT_THAT(time_error("1577880000000"), HasSubstr("are these milliseconds?"));
  EXPECT_THAT(time_error("nan"), HasSubstr("is not a time"));
  EXPECT_THAT(time_error(""), HasSubstr("column time: is empty"));
}

TEST_F(RowRulesReading, NaiveTimesAreOfTheNamedZone) {
  options_.time_zone = "Europe/Berlin";
  EXPECT_EQ(time_of("2020-01-01 13:00:00"), kNoon);
  EXPECT_EQ(time_of("2020-07-01 14:00:00"), 1593604800000000);  // summer time
  EXPECT_EQ(time_of("2020-01-01T12:00:00Z"), kNoon);            // an offset wins
  EXPECT_EQ(time_of("1577880000"), kNoon);
  options_.time_zone = "Europe/Berlinn";
  EXPECT_THAT(error("customer_id,item_id\na,b\n"), HasSubstr("time zone 'Europe/Berlinn' is not known"));
}

TEST_F(RowRulesReading, IdsAreTextAndWholeNumbersLoseTheirPoint) {
  const Dataset dataset = must_read("customer_id,item_id\n17850.0,apple\n17850,007\n3.14,1e3\n-5.00,\xc3\xa4pfel\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("17850:apple", "17850:007", "3.14:1e3", "-5:\xc3\xa4pfel"));
}

TEST_F(RowRulesReading, IdsMustBeUtf8) {
  EXPECT_THAT(error("customer_id,item_id\nann,ap\xffple\n"), HasSubstr("events.csv:2: column item_id"));
  EXPECT_THAT(error("customer_id,item_id\n\xc3,apple\n"), HasSubstr("is not valid UTF-8"));
  EXPECT_THAT(error("customer_id,item_id\nann,\n"), HasSubstr("events.csv:2: column item_id: is empty"));
}

TEST_F(RowRulesReading, EventTypesMustBeRegistered) {
  const Dataset dataset = must_read("customer_id,item_id,event_type\nann,a,view\nann,b,\n");
  EXPECT_EQ(dataset.rules.types[dataset.events.types[0]].name, "view");
  EXPECT_EQ(dataset.rules.types[dataset.events.types[1]].name, "purchase");
  EXPECT_THAT(error("customer_id,item_id,event_type\nann,a,veiw\n"),
              HasSubstr("column event_type: 'veiw' is not a registered event type; the nearest is 'view'"));
  options_.default_event_type = "wiew";
  EXPECT_THAT(error("customer_id,item_id\nann,a\n"), HasSubstr("the default event type 'wiew' is not registered; the nearest is 'view'"));
}

TEST_F(RowRulesReading, ValuesAreOneWhereTheyAreMissing) {
  const Dataset dataset = must_read("customer_id,item_id,value\nann,a,\nann,b,2.5\nann,c,-1\nann,d,+3\n");
  EXPECT_THAT(dataset.events.values, ElementsAre(1, 2.5f, -1, 3));
  EXPECT_EQ(dataset.report.returns, 1);
}

TEST_F(RowRulesReading, ZeroValuesAreDroppedAndCounted) {
  const Dataset dataset = must_read("customer_id,item_id,value\nann,a,0\nann,b,1\nann,c,-0.0\nann,d,1\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:b", "ann:d"));
  EXPECT_EQ(dataset.report.zero_values, 2);
  EXPECT_EQ(dataset.report.rows, 4);
}

TEST_F(RowRulesReading, ValuesAndPricesMustBeNumbers) {
  const auto value_error = [&](const std::string& text) { return error("customer_id,item_id,value\nann,a,\"" + text + "\"\n"); };
  EXPECT_THAT(value_error("2,5"), HasSubstr("column value: '2,5' is not a number"));
  EXPECT_THAT(value_error("nan"), HasSubstr("is not a finite number"));
  EXPECT_THAT(value_error("inf"), HasSubstr("is not a finite number"));
  EXPECT_THAT(value_error("1e39"), HasSubstr("is too large"));
  EXPECT_THAT(value_error("1e999"), HasSubstr("is not a finite number"));
  EXPECT_THAT(value_error("0x10"), HasSubstr("is not a number"));
  EXPECT_THAT(error("customer_id,item_id,price\nann,a,cheap\n"), HasSubstr("column price: 'cheap' is not a number"));
  EXPECT_EQ(must_read("customer_id,item_id,price\nann,a,1.5\nann,b,\n").events.size(), 2);
}

TEST_F(RowRulesReading, AnonymousRowsComeFirstAndCount) {
  const std::string text = "customer_id,item_id,time\nann,a,5\n,b,4\n,c,3\n";
  const Dataset dataset = must_read(text);
  EXPECT_THAT(pairs(dataset), ElementsAre(":c", ":b", "ann:a"));
  EXPECT_EQ(dataset.report.anonymous, 2);
  EXPECT_EQ(dataset.report.bad_rows, 0);
  options_.anonymous = Anonymous::kFail;
  EXPECT_THAT(error(text), HasSubstr("events.csv:3: the row has no customer, and --anonymous is fail"));
}

TEST_F(RowRulesReading, DroppedCustomersAreLeftOutAndCounted) {
  options_.drop_customers = {"0", "7.0"};
  const Dataset dataset = must_read("customer_id,item_id,value\n0.0,a,1\nann,b,1\n0,c,bad\n7,d,1\nann,e,1\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:b", "ann:e"));
  EXPECT_EQ(dataset.report.dropped_customers, 3);
}

TEST_F(RowRulesReading, WhereComparesAnyColumnAsText) {
  const std::string text = "customer_id,item_id,Country,value\nann,a,UK,1\nann,b,France,x\nann,c,UK,2\nann,d,,3\n";
  options_.where = {"Country = UK"};
  Dataset dataset = must_read(text);
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:a", "ann:c"));
  EXPECT_EQ(dataset.report.filtered, 2);
  options_.where = {"Country != France", "item != c"};  // a canonical name means the column it is mapped to
  EXPECT_THAT(pairs(must_read(text)), ElementsAre("ann:a", "ann:d"));
  options_.where = {"Country="};
  EXPECT_THAT(error(text), HasSubstr("1 item is left; at least two are needed (of 4 rows: 3 left out by --where"));
  options_.where = {"Contry = UK"};
  EXPECT_THAT(error(text), HasSubstr("there is no column 'Contry' for --where; the nearest name is 'Country'"));
  options_.where = {"Country"};
  EXPECT_THAT(error(text), HasSubstr("--where 'Country' is not of the form"));
}

TEST_F(RowRulesReading, DistinctCountsEqualRowsOnceAcrossFiles) {
  write("a.csv", "customer_id,item_id,time,note\nann,a,1,x\nann,a,1,y\nann,a,2,x\n");
  write("b.csv", "time,item_id,customer_id\n1.0,a,ann\n1,b,ann\n");
  options_.event_files = {path("a.csv"), path("b.csv")};
  EXPECT_EQ(read_dataset(options_)->events.size(), 5);
  options_.distinct = true;
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->events.size(), 3);
  EXPECT_EQ(dataset->report.repeated, 2);
}

TEST_F(RowRulesReading, DistinctSeesEveryColumnThatIsRead) {
  options_.distinct = true;
  const Dataset dataset = must_read(
      "customer_id,item_id,value,price,basket_id,event_id,event_type\nann,a,1,1,1,1,view\nann,a,2,1,1,1,view\nann,a,1,2,1,1,view\n"
      "ann,a,1,1,2,1,view\nann,a,1,1,1,2,view\nann,a,1,1,1,1,cart\nann,b,1,1,1,1,view\nbob,a,1,1,1,1,view\n,a,1,1,1,1,view\n");
  EXPECT_EQ(dataset.report.repeated, 0);
  EXPECT_EQ(dataset.events.size(), 9);
}

TEST_F(RowRulesReading, BadRowsAreCountedUpToTheBound) {
  const std::string text = "customer_id,item_id,value\nann,a,1\nann,b,x\nann,c,1\nann,d,y\n";
  options_.max_bad_rows = 2;
  const Dataset dataset = must_read(text);
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:a", "ann:c"));
  EXPECT_EQ(dataset.report.bad_rows, 2);
  EXPECT_EQ(dataset.report.rows, 4);
  ASSERT_EQ(dataset.report.first_bad_rows.size(), 2u);
  EXPECT_THAT(dataset.report.first_bad_rows[1].message, HasSubstr("events.csv:5: column value: 'y' is not a number"));
  options_.max_bad_rows = 1;
  const auto status = read(text).status();
  EXPECT_EQ(exit_code(status), kExitBadInput);
  EXPECT_THAT(error_of(status),
              HasSubstr("more bad rows than the 1 that --max-bad-rows allows; the first: events.csv:3: column value: 'x'"));
  options_.max_bad_rows = -1;
  EXPECT_EQ(exit_code(read(text).status()), kExitUsage);
}

TEST_F(RowRulesReading, ManyBadRowsAreAllCounted) {
  std::string text = "customer_id,item_id,value\nann,a,1\nann,b,1\n";
  for (int i = 0; i < 1000; ++i) text += "ann,a,x\n";
  options_.max_bad_rows = 1000;
  const Dataset dataset = must_read(text);
  EXPECT_EQ(dataset.report.bad_rows, 1000);
  EXPECT_EQ(dataset.report.first_bad_rows.size(), 20u);
  options_.max_bad_rows = 999;
  EXPECT_THAT(error(text), HasSubstr("more bad rows than the 999"));
}

TEST_F(RowRulesReading, EventsAreOrderedByCustomerTimeEventAndPlace) {
  const Dataset dataset =
      must_read("customer_id,item_id,time,event_id\nbob,a,5,10\nann,b,9,1\nbob,c,5,9\nbob,d,4,99\nann,e,9,1\nann,f,9,\nbob,g,5,x\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("bob:d", "bob:c", "bob:a", "bob:g", "ann:f", "ann:b", "ann:e"));
}

TEST_F(RowRulesReading, WithoutTimesEventIdsOrder) {
  EXPECT_THAT(pairs(must_read("customer_id,item_id,event_id\nann,a,2\nbob,b,1\nann,c,1\n")), ElementsAre("ann:c", "ann:a", "bob:b"));
}

TEST_F(RowRulesReading, BasketsAreOfOneCustomer) {
  const Dataset dataset = must_read("customer_id,item_id,basket_id\nann,a,1\nbob,b,1\nann,c,1\nann,d,2\nann,e,\nann,f,1\n");
  EXPECT_EQ(dataset.basket_count, 3);
  const auto& baskets = dataset.events.baskets;  // ann: a c d e f, bob: b
  EXPECT_EQ(baskets[0], baskets[1]);
  EXPECT_EQ(baskets[0], baskets[4]);
  EXPECT_NE(baskets[0], baskets[2]);
  EXPECT_EQ(baskets[3], kNone);
  EXPECT_NE(baskets[5], baskets[0]);
  for (const int32_t basket : baskets) EXPECT_LT(basket, 3);
}

TEST_F(RowRulesReading, AFileWithoutBasketsAmongOthersHasNone) {
  write("a.csv", "customer_id,item_id\nann,a\n");
  write("b.csv", "customer_id,item_id,basket_id,event_id\nann,b,1,1\n");
  write("c.csv", "customer_id,item_id\nann,c\n");
  options_.event_files = {path("a.csv"), path("b.csv"), path("c.csv")};
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(pairs(*dataset), ElementsAre("ann:a", "ann:c", "ann:b"));  // no event id stands before any
  EXPECT_THAT(dataset->events.baskets, ElementsAre(kNone, kNone, 0));
}

TEST_F(RowRulesReading, CustomersFarAboveTheMedianAreSuspectedRobots) {
  std::string text = "customer_id,item_id\n";
  for (int i = 0; i < 5; ++i) text += "c" + std::to_string(i) + ",a\n";
  for (int i = 0; i < 101; ++i) text += "robot,b\n";
  for (int i = 0; i < 100; ++i) text += "busy,b\n";
  const Dataset dataset = must_read(text);
  EXPECT_THAT(dataset.report.suspected_robots, ElementsAre("robot"));
  EXPECT_EQ(dataset.report.suspected_robot_count, 1);
}

TEST_F(RowRulesReading, EventsOfTheFutureAreCountedAndKept) {
  options_.clock = [] { return absl::FromUnixSeconds(100); };
  const Dataset dataset = must_read("customer_id,item_id,time\nann,a,99\nann,b,100\nbob,b,32400\nbob,a,101\n");
  EXPECT_EQ(dataset.read_at, 100'000'000);
  EXPECT_EQ(dataset.report.future, 2);
  EXPECT_EQ(dataset.report.newest, 32'400'000'000);
  EXPECT_EQ(dataset.events.size(), 4);
}

TEST_F(RowRulesReading, NeedsTwoItemsAndACustomer) {
  EXPECT_THAT(error("customer_id,item_id\nann,a\nbob,a\n"), HasSubstr("events.csv: 1 item is left; at least two are needed"));
  EXPECT_THAT(error("customer_id,item_id\n,a\n,b\n"), HasSubstr("no customer is left; at least one is needed"));
  EXPECT_EQ(must_read("customer_id,item_id\nann,a\nann,b\n").customers.size(), 1);
}

TEST_F(RowRulesReading, ThreadsAndBlocksDoNotChangeTheResult) {
  std::string text = "customer_id,item_id,time,basket_id,value\n";
  uint64_t state = 7;
  const auto next = [&](uint64_t bound) { return (state = state * 6364136223846793005ull + 1442695040888963407ull) >> 33 & ~0ull % bound; };
  for (int i = 0; i < 5000; ++i)
    text += "c" + std::to_string(next(1 << 9) % 300) + ",i" + std::to_string(next(1 << 9) % 200) + "," + std::to_string(next(1 << 9) % 50) +
            "," + std::to_string(next(1 << 9) % 9) + ",2\n";
  options_.threads = 1;
  const Dataset one = must_read(text);
  for (const size_t block : {size_t{64}, size_t{1000}, size_t{1} << 20}) {
    options_.threads = 3;
    options_.block_bytes = block;
    const Dataset many = must_read(text);
    EXPECT_EQ(pairs(one), pairs(many));
    EXPECT_EQ(one.events.times, many.events.times);
    EXPECT_EQ(one.events.baskets, many.events.baskets);
    EXPECT_EQ(one.basket_count, many.basket_count);
  }
  EXPECT_THAT(one.report.first_bad_rows, IsEmpty());
}

}  // namespace
}  // namespace bouquet::training
