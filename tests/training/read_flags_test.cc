#include "training/read_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "engine/errors.h"
#include "training/event_types_config.h"
#include "training/read_report.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<ReadOptions> options_for(const std::string& line) {
  CLI::App app;
  ReadFlags flags;
  add_read_flags(app, flags);
  try {
    app.parse(line);
  } catch (const CLI::ParseError& error) {
    return wrong_usage(error.what());
  }
  return read_options(flags);
}

TEST(ReadFlags, FillTheOptions) {
  const auto options = options_for(
      "--events a.csv b.csv --items i.csv --columns customer=who,item=what --anonymous fail --drop-customers 0,7 --distinct "
      "--where \"a = b\" --where \"c != d\" --max-bad-rows 3 --time-zone Europe/Berlin --max-history 9");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->event_files, ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(options->item_files, ElementsAre("i.csv"));
  EXPECT_THAT(options->columns.at("customer"), ElementsAre("who"));
  EXPECT_EQ(options->anonymous, Anonymous::kFail);
  EXPECT_THAT(options->drop_customers, ElementsAre("0", "7"));
  EXPECT_TRUE(options->distinct);
  EXPECT_THAT(options->where, ElementsAre("a = b", "c != d"));
  EXPECT_EQ(options->max_bad_rows, 3);
  EXPECT_EQ(options->time_zone, "Europe/Berlin");
  EXPECT_EQ(options->max_history, 9);
}

TEST(ReadFlags, RefuseNonsense) {
  EXPECT_FALSE(options_for("").ok());
  EXPECT_FALSE(options_for("--events a.csv --anonymous maybe").ok());
  EXPECT_FALSE(options_for("--events a.csv --max-bad-rows -1").ok());
  EXPECT_FALSE(options_for("--events a.csv --max-history 0").ok());
  EXPECT_FALSE(options_for("--events a.csv --columns custmer=x").ok());
}

absl::StatusOr<std::vector<EventType>> types_of(const std::string& text) { return event_types_from(toml::parse(text)); }
std::string types_error(const std::string& text) { return std::string(message_of(types_of(text).status())); }

TEST(EventTypesConfig, ChangesBuiltInTypesAndAddsNewOnes) {
  const auto types = types_of(
      "[train]\nseed = 1\n[events.purchase]\nweight = 2\nhalf_life = 90\n[events.play]\nweight = 0.5\ntransform = \"log1p\"\nconsumes = "
      "true\n[events.skip]\n");
  ASSERT_TRUE(types.ok()) << types.status();
  EXPECT_EQ(types->size(), built_in_event_types().size() + 2);
  EXPECT_EQ((*types)[0].name, "purchase");
  EXPECT_EQ((*types)[0].weight, 2);
  EXPECT_EQ((*types)[0].half_life_days, 90);
  EXPECT_TRUE((*types)[0].consumes);
  const EventType& play = (*types)[types->size() - 2];
  EXPECT_EQ(play.name, "play");
  EXPECT_EQ(play.transform, ValueTransform::kLog1p);
  EXPECT_TRUE(play.consumes);
  EXPECT_EQ(types->back().name, "skip");
  EXPECT_EQ(types->back().transform, ValueTransform::kConstant);
  EXPECT_EQ(types_of("").value().size(), built_in_event_types().size());
}

TEST(EventTypesConfig, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(types_error("[events.purchase]\nwieght = 2\n"), HasSubstr("events.purchase.wieght is not known; the nearest is 'weight'"));
  EXPECT_THAT(types_error("[events.purchase]\nweight = \"2\"\n"), HasSubstr("events.purchase.weight must be a number"));
  EXPECT_THAT(types_error("[events.purchase]\nweight = true\n"), HasSubstr("must be a number"));
  EXPECT_THAT(types_error("[events.purchase]\nconsumes = 1\n"), HasSubstr("events.purchase.consumes must be true or false"));
  EXPECT_THAT(types_error("[events.purchase]\ntransform = \"sqrt\"\n"), HasSubstr("is 'sqrt'; it takes none, identity or log1p"));
  EXPECT_THAT(types_error("[events.purchase]\nweight = -1\n"), HasSubstr("event type 'purchase': its weight must be more than 0"));
  EXPECT_THAT(types_error("events = 3\n"), HasSubstr("[events] must hold a table"));
  EXPECT_THAT(types_error("[events]\npurchase = 3\n"), HasSubstr("events.purchase must be a table"));
}

TEST(ReadReportText, MentionsWhatHappened) {
  Dataset dataset;
  dataset.report.rows = 1234567;
  dataset.report.events = 1200000;
  dataset.report.zero_values = 8869;
  dataset.report.future = 3;
  dataset.report.newest = 4070908800000000;
  dataset.report.bad_rows = 1;
  dataset.report.first_bad_rows.push_back({"a.csv:3: has 1 fields, but the header has 2"});
  dataset.report.suspected_robots = {"till-1"};
  dataset.report.suspected_robot_count = 2;
  const std::string text = read_report_text(dataset);
  EXPECT_THAT(text, HasSubstr("read 1,234,567 rows in 0.0 s: 1,200,000 events of 0 customers on 0 items\n"));
  EXPECT_THAT(text, HasSubstr("  8,869 rows left out: their value is 0\n"));
  EXPECT_THAT(text, HasSubstr("  3 events are dated after now, up to 2099-01-01T00:00:00Z: "));
  EXPECT_THAT(text, HasSubstr("    a.csv:3: has 1 fields"));
  EXPECT_THAT(text, HasSubstr("    till-1, ...\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("anonymous")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("--where")));
}

}  // namespace
}  // namespace bouquet::training
