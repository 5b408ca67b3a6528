// Both years of Online Retail II as one data set: the files differ in their column names, and both are dirty.
#include <algorithm>
#include <cstdlib>

#include "tests/training/reader_fixture.h"
#include "training/interactions_builder.h"

namespace bouquet::training {
namespace {

std::string data_folder() {
  const char* folder = std::getenv("BOUQUET_DATA");
  return folder != nullptr ? folder : BOUQUET_DATA;
}

class RetailReading : public ReaderTest {
 protected:
  void SetUp() override {
    options_.event_files = {data_folder() + "/online_retail_ii/2009-2010.parquet", data_folder() + "/online_retail_ii/2010-2011.parquet"};
    for (const std::string& file : options_.event_files)
      if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there; BOUQUET_DATA names the folder of the real data";
    options_.columns =
        parse_columns(
            "customer=Customer ID|CustomerID,item=StockCode,value=Quantity,time=InvoiceDate,basket=Invoice|InvoiceNo,price=Price|UnitPrice")
            .value();
    options_.drop_customers = {"0"};
  }
};

TEST_F(RetailReading, BothYearsAreOneSet) {
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const ReadReport& report = dataset->report;
  EXPECT_EQ(report.rows, 525461 + 531282);
  EXPECT_EQ(report.anonymous, 107927);
  EXPECT_EQ(report.dropped_customers, 133358);
  EXPECT_EQ(report.bad_rows, 0);
  EXPECT_EQ(report.events + report.dropped_customers + report.zero_values, report.rows);
  EXPECT_GT(report.returns, 0);
  EXPECT_NE(dataset->customers.find("17850"), kNone);
  EXPECT_EQ(dataset->customers.find("17850.0"), kNone);
  EXPECT_NE(dataset->items.find("85123A"), kNone);
  const auto& events = dataset->events;
  for (size_t e = 1; e < events.customers.size(); ++e)
    ASSERT_TRUE(events.customers[e - 1] < events.customers[e] ||
                (events.customers[e - 1] == events.customers[e] && events.times[e - 1] <= events.times[e]));
}

TEST_F(RetailReading, DistinctFindsTheRepeatedDecember) {
  const auto all = read_dataset(options_);
  options_.distinct = true;
  const auto distinct = read_dataset(options_);
  ASSERT_TRUE(all.ok() && distinct.ok());
  EXPECT_GE(distinct->report.repeated, 22130);
  EXPECT_EQ(distinct->events.size() + distinct->report.repeated, all->events.size());
}

TEST_F(RetailReading, BecomesATrainingSet) {
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const auto set = build_training_set(*dataset, {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_TRUE(validate(set->interactions.by_customer).ok());
  EXPECT_TRUE(validate(set->interactions.by_item).ok());
  EXPECT_EQ(set->interactions.customer_count(), dataset->customers.size());
  EXPECT_FALSE(set->interactions.by_customer.targets.empty());  // some items were returned
  EXPECT_EQ(set->rules.reference_time, *std::max_element(dataset->events.times.begin(), dataset->events.times.end()));
}

}  // namespace
}  // namespace bouquet::training
