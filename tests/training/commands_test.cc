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
    add_train_command(app, backends, {}, exit_code);
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

// Attributes that say which half a customer buys of; and customers of either half whom no event of the training knows.
std::string customers_with_tastes(int customers) {
  std::string text = "customer_id,taste,noise\n";
  for (int c = 0; c < customers; ++c)
    text += "c" + std::to_string(c) + "," + (c % 2 == 0 ? "even" : "odd") + "," + std::to_string(c * 7 % 5) + "\n";
  return text;
}

// What no event has anything to do with.
std::string noise_of(const std::string& id, char letter, int count) {
  std::string text = id + ",town,age,club\n";
  for (int row = 0; row < count; ++row) {
    const auto draw = [&](uint64_t what, uint32_t bound) { return std::to_string(random_bits(what, static_cast<uint64_t>(row)) % bound); };
    text += letter + std::to_string(row) + ",t" + draw(1, 9) + "," + draw(2, 60) + "," + (draw(3, 2) == "0" ? "true" : "false") + "\n";
  }
  return text;
}

class ColdCustomersTest : public CommandsTest {
 protected:
  ColdCustomersTest() {
    const auto rows = planted_rows(200, 40);
    const auto is_cold = [](const Bought& row) { return std::stoi(row.customer.substr(1)) % 5 == 0; };
    write("warm.csv", rows, [&](const Bought& row) { return !is_cold(row); });
    write("cold.csv", rows, is_cold);
    std::ofstream(folder_ / "customers.csv") << customers_with_tastes(200);
  }
  int train_warm(const std::string& more) {
    return run("train --events {}/warm.csv --models {}/models --dimension 8 --epochs 4 --threads 2 --validation none " + more);
  }
  int evaluate_cold(const std::string& more) {
    return run("evaluate --models {}/models --test {}/cold.csv --customers {}/customers.csv --k 10 --threads 2 " + more);
  }
};

TEST_F(ColdCustomersTest, AreJudgedByTheirAttributesBesideWhatIsPopular) {
  ASSERT_EQ(train_warm("--customers {}/customers.csv --attributes on --unobserved-weight 0.1 --regularization 3"), kExitDone) << error_;
  ASSERT_EQ(evaluate_cold("--json"), kExitDone) << error_;
  const Json out = Json::parse(out_);
  EXPECT_EQ(out["customers"], 0);  // the model knows none of them
  const Json cold = out["cold_customers"];
  EXPECT_EQ(cold["customers"], 40);
  EXPECT_GT(cold["differences"]["most-popular"]["ndcg@10"]["low"], 0.0) << cold.dump(2);
  EXPECT_GT(cold["metrics"]["ndcg@10"]["value"], 1.3 * cold["baselines"]["most-popular"]["ndcg@10"]["value"].get<double>());
  ASSERT_EQ(evaluate_cold(""), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("customers without events, by their attributes alone"));
  EXPECT_THAT(out_, HasSubstr("40 customers, 95 % intervals"));
}

// With the weight of the unobserved chosen by the data, as it is where nobody says it. Some items are new in the last 16 days, of which the
// select part is the first half: an attribute that says whom they are for finds their buyers.
TEST_F(ColdCustomersTest, TrainSwitchesAttributesOffThatAreNoiseAndKeepsThoseThatHelp) {
  const auto number = [](const std::string& item) { return std::stoi(item.substr(1)); };
  write("new.csv", planted_rows(200, 40), [&](const Bought& row) { return number(row.item) % 10 != 9 || row.day >= 24; });
  const std::string chosen = "train --events {}/new.csv --models {}/models --dimension 8 --epochs 4 --threads 2 --validation last-days:8 ";
  std::ofstream(folder_ / "noise.csv") << noise_of("customer_id", 'c', 200);
  ASSERT_EQ(run(chosen + "--customers {}/noise.csv"), kExitDone) << error_;
  EXPECT_THAT(error_, HasSubstr("they do not help, so they are switched off"));
  const auto directory = ModelsDirectory::open_existing((folder_ / "models").string());
  EXPECT_TRUE((*directory->load_current())->model.customer_prior.map.empty());
  std::string items = "item_id,half\n";
  for (int i = 0; i < 40; ++i) items += "i" + std::to_string(i) + (i < 20 ? ",first\n" : ",second\n");
  std::ofstream(folder_ / "items.csv") << items;
  ASSERT_EQ(run(chosen + "--items {}/items.csv --attribute-warmup 1"), kExitDone) << error_;
  EXPECT_THAT(error_, HasSubstr("without: used"));
  EXPECT_FALSE((*directory->load_current())->model.item_prior.map.empty());
}

// Up from 1 for as long as it helps: noise is held down further than what says something.
TEST_F(ColdCustomersTest, TrainChoosesHowFarAttributesAreHeldDown) {
  write("events.csv", planted_rows(200, 40), [](const Bought&) { return true; });
  const auto chosen_with = [&](const std::string& customers) {
    EXPECT_EQ(
        run("train --events {}/events.csv --models {}/models --dimension 8 --epochs 4 --threads 2 --validation last-days:8 "
            "--attribute-warmup 1 --attribute-relevance off --attributes on --customer-attribute-regularization auto --customers {}/" +
            customers),
        kExitDone)
        << error_;
    std::vector<std::pair<double, double>> tried;
    std::istringstream lines(error_);
    for (std::string line; std::getline(lines, line);) {
      double lambda = 0, figure = 0;
      if (const size_t at = line.find("lambda_A ");
          at != std::string::npos && std::sscanf(line.c_str() + at, "lambda_A %lf: %lf", &lambda, &figure) == 2)
        tried.emplace_back(lambda, figure);
    }
    const auto model = ModelsDirectory::open_existing((folder_ / "models").string())->load_current();
    const double chosen = (*model)->recipe.options.customer_attribute_regularization;
    EXPECT_GE(tried.size(), 2u) << error_;
    for (size_t i = 0; i + 1 < tried.size(); ++i) EXPECT_EQ(100 * tried[i].first, tried[i + 1].first);
    for (size_t i = 0; i + 2 < tried.size(); ++i) EXPECT_LE(tried[i].second, tried[i + 1].second);
    // The last that helped, as far as the printed digits tell.
    const auto found = std::ranges::find(tried, chosen, [](const auto& t) { return t.first; });
    EXPECT_NE(found, tried.end());
    for (const auto& [lambda, figure] : tried) EXPECT_LE(figure, found->second) << lambda;
    EXPECT_EQ((*model)->recipe.options.item_attribute_regularization, 1);
    return chosen;
  };
  std::ofstream(folder_ / "noise.csv") << noise_of("customer_id", 'c', 200);
  EXPECT_GT(chosen_with("noise.csv"), chosen_with("customers.csv"));
  EXPECT_EQ(run("train --events {}/events.csv --models {}/models --validation none --item-attribute-regularization auto"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("say a number"));
  EXPECT_EQ(run("train --events {}/events.csv --models {}/models --item-attribute-regularization much"), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("--item-attribute-regularization 'much' is not a number; it takes one, or auto"));
}

// Half of the customers come in the last 16 days: whoever was there before is served as well without attributes.
TEST_F(ColdCustomersTest, TrainKeepsAttributesThatHelpStrangersAlone) {
  const auto is_new = [](const Bought& row) { return std::stoi(row.customer.substr(1)) >= 300; };
  write("growing.csv", planted_rows(600, 40), [&](const Bought& row) { return !is_new(row) || row.day >= 44; });
  std::ofstream(folder_ / "customers.csv") << customers_with_tastes(600);
  ASSERT_EQ(run("train --events {}/growing.csv --models {}/models --dimension 8 --epochs 4 --threads 2 --validation last-days:8 "
                "--customers {}/customers.csv --attribute-warmup 1 --unobserved-weight 0.1 --regularization 3"),
            kExitDone)
      << error_;
  EXPECT_THAT(error_, HasSubstr("by what is popular, over 300 of them in the select part"));
  EXPECT_THAT(error_, HasSubstr("without: used"));
}

// The same customers and the same model: what makes the difference are the attributes.
TEST_F(ColdCustomersTest, WithTheAttributesOfOthersAreWorseThanWhatIsPopular) {
  ASSERT_EQ(train_warm("--customers {}/customers.csv --attributes on --unobserved-weight 0.1 --regularization 3"), kExitDone) << error_;
  std::string swapped = "customer_id,taste\n";
  for (int c = 0; c < 200; ++c) swapped += "c" + std::to_string(c) + "," + (c % 2 == 0 ? "odd" : "even") + "\n";
  std::ofstream(folder_ / "customers.csv") << swapped;
  ASSERT_EQ(evaluate_cold("--json"), kExitDone) << error_;
  const Json out = Json::parse(out_);
  EXPECT_LT(out["cold_customers"]["differences"]["most-popular"]["ndcg@10"]["high"], 0.0);
}

TEST_F(ColdCustomersTest, AreThoseAloneWhoAreNotKnownAndHaveARow) {
  ASSERT_EQ(train_warm("--customers {}/customers.csv --attributes on"), kExitDone) << error_;
  write("mixed.csv", planted_rows(200, 40), [](const Bought& row) { return row.day > 30; });
  std::ofstream(folder_ / "customers.csv") << "customer_id,taste\nc1,odd\nc95,odd\nc90,even\nnobody,odd\n";
  ASSERT_EQ(run("evaluate --models {}/models --test {}/mixed.csv --customers {}/customers.csv --k 10 --json --repeats include"), kExitDone)
      << error_;
  const Json out = Json::parse(out_);
  EXPECT_EQ(out["customers"], 160);
  EXPECT_EQ(out["cold_customers"]["customers"], 2);
  EXPECT_EQ(out["with_unknown"]["customers"], 200);
  std::ofstream(folder_ / "customers.csv") << "customer_id,taste\nc1,odd\n";
  ASSERT_EQ(run("evaluate --models {}/models --test {}/mixed.csv --customers {}/customers.csv --repeats include"), kExitDone) << error_;
  EXPECT_THAT(out_, HasSubstr("no customer of the test is without events"));
}

TEST_F(ColdCustomersTest, NeedAModelAndAFileThatKnowTheSameAttributes) {
  ASSERT_EQ(train_warm(""), kExitDone) << error_;
  EXPECT_EQ(evaluate_cold(""), kExitBadInput);
  EXPECT_THAT(error_, HasSubstr("was trained without attributes of customers"));
  ASSERT_EQ(train_warm("--customers {}/customers.csv --attributes on"), kExitDone) << error_;
  EXPECT_EQ(evaluate_cold("--repeats only"), kExitUsage);
  std::ofstream(folder_ / "customers.csv") << "customer_id,town\nc95,Ulm\n";
  EXPECT_EQ(evaluate_cold(""), kExitBadInput);
  EXPECT_THAT(error_, HasSubstr("customers.csv has none of the attributes that the model knows: taste, noise"));
  std::ofstream(folder_ / "customers.csv") << "customer_id,noise\nc95,many\n";
  EXPECT_EQ(evaluate_cold(""), kExitBadInput);
  EXPECT_THAT(error_, HasSubstr("customers.csv:2: column noise: 'many' is not a number"));
}

TEST_F(ColdCustomersTest, FiguresOfEveryCustomerHaveTheMeansThatArePrinted) {
  ASSERT_EQ(train_warm("--customers {}/customers.csv --attributes on"), kExitDone) << error_;
  ASSERT_EQ(evaluate_cold("--json --per-customer {}/figures.csv"), kExitDone) << error_;
  std::ifstream file(folder_ / "figures.csv");
  std::string line;
  std::getline(file, line);
  ASSERT_THAT(line, testing::StartsWith("customer_id,group,subject,recall@10,"));
  double sum = 0;
  int rows = 0;
  while (std::getline(file, line)) {
    if (line.find(",cold,model,") == std::string::npos) continue;
    sum += std::stod(line.substr(line.find(",model,") + 7));
    ++rows;
  }
  EXPECT_EQ(rows, 40);
  EXPECT_NEAR(sum / rows, Json::parse(out_)["cold_customers"]["metrics"]["recall@10"]["value"].get<double>(), 1e-6);
}

}  // namespace
}  // namespace bouquet::training
