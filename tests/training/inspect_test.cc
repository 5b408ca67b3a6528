#include <CLI/CLI.hpp>

#include "nlohmann/json.hpp"
#include "tests/training/reader_fixture.h"
#include "training/file_profile.h"
#include "training/inspect_command.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Inspecting : public ReaderTest {
 protected:
  // What the command prints, and its exit code.
  std::string inspect(const std::string& arguments) {
    CLI::App app;
    add_inspect_command(app, exit_code_);
    ::testing::internal::CaptureStdout();
    app.parse("inspect " + arguments);
    return ::testing::internal::GetCapturedStdout();
  }
  int exit_code_ = -1;
};

TEST_F(Inspecting, GuessesTypesAndRanges) {
  std::string text = "when,count,price,shop,note,tags,ok,nothing\n";
  for (int i = 0; i < 200; ++i)
    text += "2020-01-0" + std::to_string(1 + i % 9) + "," + std::to_string(i) + "," + std::to_string(i) + ".5,shop" +
            std::to_string(i % 3) + ",note" + std::to_string(i) + ",a|b,true,\n";
  const auto profile = profile_file(write("a.csv", text), 0);
  ASSERT_TRUE(profile.ok()) << profile.status();
  std::vector<std::string> types, ranges;
  for (const ColumnProfile& column : profile->columns) {
    types.push_back(column.type());
    ranges.push_back(column.range());
  }
  EXPECT_THAT(types, ElementsAre("time", "whole number", "number", "category", "text", "set of categories", "flag", "empty"));
  EXPECT_EQ(ranges[0], "2020-01-01 00:00:00 to 2020-01-09 00:00:00");
  EXPECT_EQ(ranges[1], "0 to 199");
  EXPECT_EQ(ranges[2], "0.5 to 199.5");
  EXPECT_EQ(ranges[4], "5 to 7 bytes");
  EXPECT_EQ(profile->columns[7].nulls, 200);
  EXPECT_THAT(profile->columns[1].first, ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(profile->rows, 200);
}

TEST_F(Inspecting, EstimatesDistinctValuesWithinFivePercent) {
  for (const int64_t many : {1, 100, 5000, 200000}) {
    DistinctEstimate estimate;
    for (int64_t i = 0; i < 2 * many; ++i) estimate.add(std::to_string(i % many));
    EXPECT_NEAR(static_cast<double>(estimate.count()), static_cast<double>(many), 0.05 * static_cast<double>(many) + 0.5);
  }
}

TEST_F(Inspecting, PrintsColumnsMeaningsAndProblems) {
  const std::string file = write("orders.csv", "household,item_id,time\n1,apple,1577880000000\n2,,1577880000000\n3,pear\n");
  const std::string out = inspect(file);
  EXPECT_EQ(exit_code_, kExitDone);
  EXPECT_THAT(out, HasSubstr("CSV, 3 rows, 3 columns"));
  EXPECT_THAT(out, HasSubstr("no column is taken for the customer (customer_id)"));
  EXPECT_THAT(out, HasSubstr("column item_id: 1 rows have no item"));
  EXPECT_THAT(out, HasSubstr("are they milliseconds?"));
  EXPECT_THAT(out, HasSubstr("orders.csv:4: has 2 fields, but the header has 3"));
  EXPECT_THAT(out, HasSubstr("1 | apple | 1577880000000"));
}

TEST_F(Inspecting, WritesOneJsonDocument) {
  const std::string file = write("orders.csv", "household,item_id\n1,ap\xffple\n2,pear\n");
  const auto json = nlohmann::json::parse(inspect("--json --columns customer=household " + file));
  ASSERT_EQ(json["files"].size(), 1u);
  const auto& columns = json["files"][0]["columns"];
  EXPECT_EQ(columns[0]["read_as"], "customer");
  EXPECT_EQ(columns[1]["read_as"], "item");
  EXPECT_EQ(columns[0]["type"], "whole number");
  EXPECT_EQ(json["files"][0]["problems"].size(), 0u);
}

TEST_F(Inspecting, MissingFilesHaveTheirExitCode) {
  ::testing::internal::CaptureStderr();
  inspect(path("none.csv"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("none.csv: there is no such file"));
  EXPECT_EQ(exit_code_, kExitBadInput);
}

}  // namespace
}  // namespace bouquet::training
