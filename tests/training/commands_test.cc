// The commands from their flags to what they print, on small files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "cpu_fallback/cpu_backend.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "nlohmann/json.hpp"
#include "tests/training/planted_shop.h"
#include "training/evaluate_command.h"
#include "training/train_command.h"

namespace bouquet::training {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() : folder_(fs::path(::testing::TempDir()) / ("commands_" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write("events.csv", planted_rows(), [](const Bought& row) { return row.day < 50; });
    write("later.csv", planted_rows(), [](const Bought& row) { return row.day >= 50; });
  }
  ~CommandsTest() override { fs::remove_all(folder_); }

  template <typename Wanted>
  void write(const std::string& name, const std::vector<Bought>& rows, Wanted wanted) {
    std::ofstream out(folder_ / name);
    out << "customer_id,item_id,time,value,basket_id\n";
    for (const Bought& row : rows)
      if (wanted(row)) out << row.customer << "," << row.item << "," << row.day * 86400 << "," << row.value << "," << row.basket << "\n";
  }

  // Runs `bouquet <line>`, where {} in the line stands for the folder.
  int run(std::string line) {
    for (size_t at = line.find("{}"); at != std::string::npos; at = line.find("{}")) line.replace(at, 2, folder_.string());
    CLI::App app;
    app.require_subcommand(1);
    int exit_code = 0;
    const BackendFactory backends = [](const BackendChoice& choice) -> absl::StatusOr<std::unique_ptr<Backend>> {
      if (choice.name != "auto" && choice.name != "cpu") return wrong_usage("--backend '" + choice.name + "' is unknown");
      return cpu::make_cpu_backend(choice.threads);
    };
    add_train_command(app, backends, exit_code);
    add_evaluate_command(app, backends, exit_code);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
      app.parse(line);
    } catch (const CLI::ParseError& error) {
      exit_code = kExitUsage;
      std::fputs(error.what(), stderr);
    }
    out_ = ::testing::internal::GetCapturedStdout();
    error_ = ::testing::internal::GetCapturedStderr();
    return exit_code;
  }
  int train(const std::string& more = "") {
    return run("train --events {}/events.csv --models {}/models --dimension 8 --epochs 4 --threads 2 " + more);
  }

  fs::path folder_;
  std::string out_, error_;
};

TEST_F(CommandsTest, TrainPublishesAndSaysHowGoodItIs) {
  ASSERT_EQ(train("--validation last-days:8"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("repeats exclude"));
  EXPECT_THAT(out_, HasSubstr("repeats include"));
  EXPECT_THAT(out_, HasSubstr("personal-frequency"));
  EXPECT_THAT(out_, HasSubstr("published "));
  EXPECT_THAT(error_, HasSubstr("choosing on the select part"));
  auto models = ModelsDirectory::open((folder_ / "models").string());
  const auto artifact = models->load_current();
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ((*artifact)->customer_ids.size(), 60);
  EXPECT_EQ((*artifact)->recipe.validation, "last-days:8");
  EXPECT_EQ((*artifact)->metrics.size(), 10u);
}

TEST_F(CommandsTest, TrainPrintsOneJsonDocument) {
  ASSERT_EQ(train("--json"), kExitDone) << error_;
  const Json out = Json::parse(out_);
  EXPECT_EQ(out["validation"], "last-fraction:0.1");  // the data have times
  EXPECT_EQ(out["customers"], 60);
  EXPECT_EQ(out["evaluations"].size(), 2u);
  EXPECT_EQ(out["evaluations"][0]["protocol"]["repeats"], "exclude");
  EXPECT_GT(out["evaluations"][1]["metrics"]["recall@20"]["value"], 0.0);
}

TEST_F(CommandsTest, EvaluateJudgesThePublishedModelBesideBothBaselines) {
  ASSERT_EQ(train("--validation none"), kExitDone) << error_;
  ASSERT_EQ(run("evaluate --models {}/models --test {}/later.csv --k 5,20 --repeats include --json --threads 2"), kExitDone) << error_;
  const Json out = Json::parse(out_);
  for (const char* key : {"metrics", "customers", "protocol", "baselines"}) EXPECT_TRUE(out.contains(key)) << key;
  EXPECT_EQ(out["customers"], 60);
  const Json recall = out["metrics"]["recall@5"];
  EXPECT_LE(recall["low"], recall["value"]);
  EXPECT_LE(recall["value"], recall["high"]);
  EXPECT_TRUE(out["baselines"]["most-popular"].contains("ndcg@20"));
  EXPECT_TRUE(out["baselines"]["personal-frequency"].contains("hit_rate@5"));
  EXPECT_EQ(out["protocol"]["k"], Json({5, 20}));
  ASSERT_EQ(run("evaluate --models {}/models --test {}/later.csv"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("recall@100"));
}

// The fold-in of what a model was trained on is its stored profile, so both ways give the same figures to the last digit.
TEST_F(CommandsTest, EvaluatingWithTheTrainingEventsAsSeenChangesNothing) {
  ASSERT_EQ(train("--validation none"), kExitDone) << error_;
  ASSERT_EQ(run("evaluate --models {}/models --test {}/later.csv --k 5 --json"), kExitDone) << error_;
  const Json stored = Json::parse(out_);
  ASSERT_EQ(run("evaluate --models {}/models --test {}/later.csv --seen {}/events.csv --k 5 --json"), kExitDone) << error_;
  const Json folded = Json::parse(out_);
  EXPECT_EQ(stored["metrics"], folded["metrics"]);
  EXPECT_EQ(stored["baselines"], folded["baselines"]);
}

TEST_F(CommandsTest, CustomersWithoutSeenEventsStandInTheSecondRowAlone) {
  ASSERT_EQ(train("--validation none"), kExitDone) << error_;
  write("seen.csv", planted_rows(), [](const Bought& row) { return row.day < 50 && row.customer < "c3"; });
  ASSERT_EQ(run("evaluate --models {}/models --test {}/later.csv --seen {}/seen.csv --k 5 --repeats include --json"), kExitDone) << error_;
  const Json out = Json::parse(out_);
  EXPECT_LT(out["customers"], 60);
  EXPECT_EQ(out["with_unknown"]["customers"], 60);
}

TEST_F(CommandsTest, DryRunTrainsAndPublishesNothing) {
  ASSERT_EQ(train("--dry-run"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("60 customers, 24 items"));
  EXPECT_THAT(out_, HasSubstr("nothing was trained"));
  EXPECT_FALSE(fs::exists(folder_ / "models"));
  ASSERT_EQ(train("--dry-run --json"), kExitDone);
  EXPECT_EQ(Json::parse(out_)["customers"], 60);
}

TEST_F(CommandsTest, PublishNeverJudgesAndKeepsTheFolderAsItIs) {
  ASSERT_EQ(train("--publish never"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("not published"));
  EXPECT_FALSE(fs::exists(folder_ / "models"));
}

TEST_F(CommandsTest, WhatIsNotBuiltYetIsRefusedByName) {
  EXPECT_EQ(train("--publish if-better"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("if-better is not built yet"));
  EXPECT_EQ(train("--customers {}/events.csv --attributes off"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("--customers"));
  std::ofstream(folder_ / "bouquet.toml") << "[attributes.item.colour]\ntype = \"category\"\n";
  EXPECT_EQ(train("--config {}/bouquet.toml"), kExitBadInput);
  EXPECT_THAT(error_, HasSubstr("[attributes.item.colour]"));
  EXPECT_EQ(train("--solver pcg"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("pcg"));
}

TEST_F(CommandsTest, DryRunReadsAndReportsAttributes) {
  {
    std::ofstream customers(folder_ / "customers.csv");
    customers << "customer_id,age,always\nnobody,30,1\n";
    for (int c = 0; c < 40; ++c) customers << "c" << c << "," << 20 + c % 7 << ",1\n";
    std::ofstream(folder_ / "bouquet.toml") << "[attributes.customer.always]\ntype = \"category\"\n";
  }
  ASSERT_EQ(train("--dry-run --customers {}/customers.csv --config {}/bouquet.toml"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("customers: 1 attributes in 1 dense and 1 sparse columns\n    age: number\n    20 have no row"));
  EXPECT_THAT(out_, HasSubstr("1 rows are of ids without an event"));
  EXPECT_THAT(out_, HasSubstr("note: always has the same value in every row; it is left out"));
  ASSERT_EQ(train("--dry-run --json --customers {}/customers.csv"), kExitDone) << error_;
  const auto json = Json::parse(out_);
  EXPECT_EQ(json["customer_attributes"]["attributes"][0]["name"], "age");
  EXPECT_EQ(json["customer_attributes"]["without_row"], 20);
  EXPECT_EQ(json["item_attributes"]["columns"], 0);
}

TEST_F(CommandsTest, WrongUsageEndsWithTwoAndBadInputWithThree) {
  for (const char* flags :
       {"--dimension 0", "--regularization -1", "--epochs -3", "--validation sometimes", "--publish perhaps", "--select-metric luck",
        "--unobserved-weight much", "--unobserved-weight -1", "--backend abacus", "--threads -1"})
    EXPECT_EQ(train(flags), kExitUsage) << flags;
  EXPECT_EQ(run("train --events {}/events.csv"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("--models DIR"));
  EXPECT_EQ(run("train --events {}/nothing.csv --models {}/models"), kExitBadInput);
  EXPECT_EQ(train("--validation last-days:2000"), kExitBadInput);
  EXPECT_FALSE(fs::exists(folder_ / "models" / "CURRENT"));
  ASSERT_EQ(train("--validation none"), kExitDone);
  EXPECT_EQ(run("evaluate --models {}/models --test {}/later.csv --k 0"), kExitUsage);
  EXPECT_EQ(run("evaluate --models {}/models --test {}/later.csv --repeats maybe"), kExitUsage);
  EXPECT_EQ(run("evaluate --models {}/models --test {}/later.csv --version 20010101"), kExitBadInput);
  EXPECT_EQ(run("evaluate --models {}/no_models --test {}/later.csv"), kExitBadInput);
}

TEST_F(CommandsTest, EventTypesComeFromTheConfigurationFileAndAreFrozen) {
  std::ofstream(folder_ / "bouquet.toml") << "[events.purchase]\nweight = 3.0\n[events.wish]\nweight = 0.5\n";
  ASSERT_EQ(train("--validation none --config {}/bouquet.toml"), kExitDone) << error_;
  const auto artifact = ModelsDirectory::open((folder_ / "models").string())->load_current();
  const EventRules& rules = (*artifact)->rules;
  EXPECT_EQ(rules.types[static_cast<size_t>(rules.find("purchase"))].weight, 3);
  EXPECT_NE(rules.find("wish"), kNone);
  EXPECT_EQ(train("--config {}/absent.toml"), kExitBadInput);
  std::ofstream(folder_ / "bouquet.toml") << "[events.purchase\n";
  EXPECT_EQ(train("--config {}/bouquet.toml"), kExitUsage);
}

TEST_F(CommandsTest, EvaluatingStrangersAloneIsAnErrorThatSaysSo) {
  ASSERT_EQ(train("--validation none"), kExitDone);
  write("strangers.csv", {{"x", "i1", 55}, {"y", "i2", 55}}, [](const Bought&) { return true; });
  EXPECT_EQ(run("evaluate --models {}/models --test {}/strangers.csv"), kExitBadInput);
  EXPECT_THAT(error_, HasSubstr("no customer is left"));
}

// Every item of the events with a group, and one that no event has.
std::string items_with_groups(const std::vector<Bought>& rows) {
  std::map<std::string, int> group_of;
  for (const Bought& row : rows) group_of.emplace(row.item, static_cast<int>(group_of.size()) % 3);
  std::string text = "item_id,group\n";
  for (const auto& [item, group] : group_of) text += item + ",g" + std::to_string(group) + "\n";
  return text + "brand new,g1\n";
}

TEST_F(CommandsTest, TrainPlacesItemsWithoutEventsByTheirAttributes) {
  std::ofstream(folder_ / "items.csv") << items_with_groups(planted_rows());
  ASSERT_EQ(train("--items {}/items.csv --attributes on --validation none"), kExitDone) << error_;
  const auto artifact = *ModelsDirectory::open_existing((folder_ / "models").string())->load_current();
  const int32_t item = artifact->item_ids.find("brand new");
  ASSERT_NE(item, kNone);
  double size = 0;
  for (const float x : artifact->model.item_matrix().row(item)) size += std::abs(double{x});
  EXPECT_GT(size, 0);
  EXPECT_EQ(artifact->item_attributes.schema.attributes()[0].name, "group");
  EXPECT_EQ(artifact->model.item_prior.column_count(8), artifact->item_attributes.table.column_count);
}

TEST_F(CommandsTest, TrainLeavesAttributesOutWhereItIsToldTo) {
  std::ofstream(folder_ / "items.csv") << items_with_groups(planted_rows());
  ASSERT_EQ(train("--items {}/items.csv --attributes off --validation none"), kExitDone) << error_;
  const auto artifact = *ModelsDirectory::open_existing((folder_ / "models").string())->load_current();
  EXPECT_EQ(artifact->item_ids.find("brand new"), kNone);
  EXPECT_TRUE(artifact->model.item_prior.map.empty());
  EXPECT_EQ(train("--items {}/items.csv --attributes maybe"), kExitUsage);
}

TEST_F(CommandsTest, TrainSaysWhetherAttributesHelp) {
  std::ofstream(folder_ / "items.csv") << items_with_groups(planted_rows());
  ASSERT_EQ(train("--items {}/items.csv --validation last-days:10"), kExitDone) << error_;
  EXPECT_THAT(error_, HasSubstr("attributes: ndcg@20 over all customers and items of the select part"));
}

}  // namespace
}  // namespace bouquet::training
