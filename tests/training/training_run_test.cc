#include "training/training_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cpu_fallback/cpu_backend.h"
#include "tests/training/planted_shop.h"
#include "training/seen_events.h"
#include "training/unobserved_weight.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The CPU backend, and a note of everything that it was given to train on.
class RecordingBackend : public Backend {
 public:
  std::string_view name() const override { return inner_->name(); }
  std::string description() const override { return inner_->description(); }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override { return inner_->load(model); }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override {
    trained_on.push_back(interactions.by_customer);
    return inner_->start_training(interactions, options);
  }
  std::vector<SparseRows> trained_on;

 private:
  std::unique_ptr<Backend> inner_ = *cpu::make_cpu_backend(2);
};

bool same(const SparseRows& a, const SparseRows& b) {
  return a.column_count == b.column_count && a.offsets == b.offsets && a.columns == b.columns && a.confidences == b.confidences &&
         a.targets == b.targets;
}

class TrainingRunTest : public ::testing::Test {
 protected:
  // Every tenth item is an action if `actions`.
  TrainingOutcome run(const std::vector<Bought>& rows, const char* validation = "last-days:10", int32_t epochs = 6, bool actions = false) {
    TrainingRequest request;
    request.options.dimension = 8;
    request.validation = *parse_validation(validation);
    request.epochs = epochs;
    request.lengths = {5, 20};
    request.workers = 2;
    request.resamples = 200;
    backend_.trained_on.clear();
    dataset_ = shop_of(rows);
    if (actions) {
      std::vector<uint8_t> kinds(static_cast<size_t>(dataset_.items.size()), static_cast<uint8_t>(ItemKind::kProduct));
      for (size_t i = 0; i < kinds.size(); i += 10) kinds[i] = static_cast<uint8_t>(ItemKind::kAction);
      dataset_.catalog.kinds = std::move(kinds);
    }
    NoProgress progress;
    auto out = run_training(dataset_, request, backend_, progress);
    EXPECT_TRUE(out.ok()) << out.status();
    return out.ok() ? *std::move(out) : TrainingOutcome{};
  }
  RecordingBackend backend_;
  Dataset dataset_;
};

TEST_F(TrainingRunTest, FitsOnThreePartsAndJudgesBeforeTheRefit) {
  const TrainingOutcome out = run(planted_rows());
  ASSERT_EQ(backend_.trained_on.size(), 3u);
  EXPECT_LT(backend_.trained_on[0].pair_count(), backend_.trained_on[1].pair_count());
  EXPECT_LT(backend_.trained_on[1].pair_count(), backend_.trained_on[2].pair_count());
  ASSERT_EQ(out.evaluations.size(), 2u);
  EXPECT_EQ(out.evaluations[0].repeats, Repeats::kExclude);
  EXPECT_EQ(out.evaluations[1].repeats, Repeats::kInclude);
  ASSERT_TRUE(out.repurchase.has_value());
  EXPECT_EQ(out.artifact.rules.repurchase_half_life_days, out.repurchase->half_life_days);
  EXPECT_EQ(out.artifact.repurchase.share, out.repurchase->share);
  EXPECT_EQ(out.artifact.recipe.epochs, std::max_element(out.epochs.begin(), out.epochs.end(), [](const auto& a, const auto& b) {
                                          return a.select_metric < b.select_metric;
                                        })->epoch);
}

TEST_F(TrainingRunTest, ArtifactIsCompleteAndConsistent) {
  const TrainingOutcome out = run(planted_rows());
  const Artifact& a = out.artifact;
  EXPECT_TRUE(validate(a).ok()) << validate(a);
  EXPECT_EQ(a.customer_ids.size(), 60);
  EXPECT_EQ(a.recipe.validation, "last-days:10");
  EXPECT_GT(a.recipe.judge_time, a.recipe.select_time);
  EXPECT_EQ(a.recipe.options.dimension, 8);
  EXPECT_THAT(a.recipe.sources, ElementsAre("shop.csv"));
  EXPECT_GT(a.co_purchases.basket_count, 100);
  std::vector<std::string> subjects;
  for (const MetricTable& table : a.metrics) subjects.push_back(table.repeats + " " + table.subject);
  EXPECT_THAT(subjects,
              ElementsAre("exclude model", "exclude most-popular", "exclude personal-frequency", "exclude model minus most-popular",
                          "exclude model minus personal-frequency", "include model", "include most-popular", "include personal-frequency",
                          "include model minus most-popular", "include model minus personal-frequency"));
}

TEST_F(TrainingRunTest, ScoresGetProbabilitiesAndDeviations) {
  const TrainingOutcome out = run(planted_rows(400, 200));
  const Artifact& a = out.artifact;
  EXPECT_TRUE(a.uncertainty.known());
  EXPECT_EQ(a.uncertainty.items.size(), 2 * int64_t{a.model.item_count()});
  EXPECT_NEAR(a.calibration.horizon_days, 10, 1);
  EXPECT_EQ(a.calibration.length, 20);
  const CalibrationMap* map = a.calibration.find(AnswerSource::kModel, ItemKind::kProduct);
  ASSERT_NE(map, nullptr);
  EXPECT_GT(map->probabilities.back(), map->probabilities.front());
  EXPECT_GT(map->taken, 2 * kLeastTaken);
  ASSERT_EQ(out.reliability.size(), a.calibration.maps.size());
  int64_t rows = 0;
  for (const ReliabilityBin& bin : out.reliability[0]) rows += bin.rows;
  EXPECT_EQ(rows, map->rows);
  // Without a part to choose on nothing is known of either.
  const TrainingOutcome plain = run(planted_rows(), "none", 3);
  EXPECT_FALSE(plain.artifact.uncertainty.known());
  EXPECT_TRUE(plain.artifact.calibration.maps.empty());
}

TEST_F(TrainingRunTest, EachKindHasProbabilitiesOfItsOwnAnswers) {
  const TrainingOutcome out = run(planted_rows(400, 200), "last-days:10", 4, true);
  const CalibrationMap *actions = out.artifact.calibration.find(AnswerSource::kModel, ItemKind::kAction),
                       *products = out.artifact.calibration.find(AnswerSource::kModel, ItemKind::kProduct);
  ASSERT_TRUE(actions != nullptr && products != nullptr);
  // 20 actions: most of them are new to a customer, and all that are stand in the answer, which has room for 20 rows of 200 items
  // otherwise.
  EXPECT_GT(actions->rows, products->rows / 2);
  EXPECT_LT(actions->rows, products->rows + 1);
}

TEST_F(TrainingRunTest, ModelFindsThePlantedTaste) {
  // Half of the few popular items are of the other taste: with repeats left in, the model must clearly beat popularity.
  const TrainingOutcome out = run(planted_rows());
  EXPECT_GT(find_metric(out.evaluations[1].differences[0], "recall@5")->low, 0);
}

// A customer and an item that occur in the judge part alone, and different sizes of what else happens there.
TEST_F(TrainingRunTest, NothingOfTheJudgePartInfluencesTheFitsBefore) {
  std::vector<Bought> rows = planted_rows();
  const TrainingOutcome before = run(rows);
  const std::vector<SparseRows> plain = backend_.trained_on;
  rows.insert(rows.begin(), {"planted customer", "planted item", 58, 4096});
  rows.push_back({"c3", "planted item", 58, 512});
  rows.push_back({"c4", "i1", 58, -3});
  const TrainingOutcome after = run(rows);
  ASSERT_EQ(backend_.trained_on.size(), 3u);
  EXPECT_TRUE(same(plain[0], backend_.trained_on[0]));
  EXPECT_TRUE(same(plain[1], backend_.trained_on[1]));
  EXPECT_FALSE(same(plain[2], backend_.trained_on[2]));
  ASSERT_EQ(before.epochs.size(), after.epochs.size());
  for (size_t e = 0; e < before.epochs.size(); ++e) {
    EXPECT_EQ(before.epochs[e].objective, after.epochs[e].objective);
    EXPECT_EQ(before.epochs[e].select_metric, after.epochs[e].select_metric);
  }
  EXPECT_EQ(before.repurchase->half_life_days, after.repurchase->half_life_days);
  EXPECT_EQ(before.repurchase->share, after.repurchase->share);
  EXPECT_GE(after.artifact.item_ids.find("planted item"), 0);
}

// The negative control of the test above: the same events a little earlier do influence them.
TEST_F(TrainingRunTest, TheFitPartDoesInfluenceTheFits) {
  std::vector<Bought> rows = planted_rows();
  run(rows);
  const std::vector<SparseRows> plain = backend_.trained_on;
  rows.insert(rows.begin(), {"planted customer", "planted item", 5, 4096});
  run(rows);
  EXPECT_FALSE(same(plain[0], backend_.trained_on[0]));
}

TEST_F(TrainingRunTest, WithoutAValidationThereIsOneFitOfThatManyEpochs) {
  const TrainingOutcome out = run(planted_rows(), "none", 3);
  EXPECT_EQ(backend_.trained_on.size(), 1u);
  EXPECT_EQ(out.artifact.recipe.epochs, 3);
  EXPECT_TRUE(out.evaluations.empty());
  EXPECT_TRUE(out.artifact.metrics.empty());
  EXPECT_EQ(out.artifact.repurchase.share, kUnchosenShare);
  EXPECT_TRUE(validate(out.artifact).ok());
}

TEST_F(TrainingRunTest, BalancedWeightComesFromTheFitPartAndStandsInTheRecipe) {
  Dataset shop = shop_of(planted_rows());
  TrainingRequest request;
  request.options.dimension = 8;
  request.options.unobserved_weight = 7;
  request.balance_unobserved = true;
  request.validation = *parse_validation("last-days:10");
  request.epochs = 2;
  request.resamples = 50;
  backend_.trained_on.clear();
  NoProgress progress;
  const auto out = run_training(shop, request, backend_, progress);
  ASSERT_TRUE(out.ok()) << out.status();
  double sum = 0;
  for (const float c : backend_.trained_on[0].confidences) sum += static_cast<double>(c);
  const double balanced = kUnobservedBalance * sum / (60 * 24);
  EXPECT_NEAR(out->artifact.recipe.options.unobserved_weight, std::min(balanced, 10.0), 1e-6);
  EXPECT_EQ(out->artifact.model.constants.unobserved_weight, out->artifact.recipe.options.unobserved_weight);
}

TEST(BalancedUnobservedWeight, WeighsTheUnobservedAsAMultipleOfTheObserved) {
  SparseRows rows;
  rows.column_count = 1000;
  rows.offsets = {0, 2, 3};
  rows.columns = {1, 2, 5};
  rows.confidences = {1, 0.5f, 2.5f};
  EXPECT_DOUBLE_EQ(balanced_unobserved_weight(rows), kUnobservedBalance * 4 / 2000);
  rows.column_count = 6;
  EXPECT_EQ(balanced_unobserved_weight(rows), 10);  // the bound
  EXPECT_EQ(balanced_unobserved_weight({}), 0);
}

TEST_F(TrainingRunTest, EveryKindOfValidationRuns) {
  for (const char* validation : {"last-fraction:0.1", "random:0.2", "last-event", "last-basket"}) {
    const TrainingOutcome out = run(planted_rows(), validation, 2);
    EXPECT_TRUE(validate(out.artifact).ok()) << validation;
    EXPECT_FALSE(out.evaluations.empty()) << validation;
  }
}

TEST_F(TrainingRunTest, StoredProfilesAreTheFoldInOfTheSameEvents) {
  const TrainingOutcome out = run(planted_rows(), "none", 3);
  const auto model = backend_.load(out.artifact.model);
  const auto seen = fold_in_seen(dataset_, out.artifact, **model);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->profiles, std::vector<float>(out.artifact.model.profiles.begin(), out.artifact.model.profiles.end()));
  EXPECT_TRUE(std::ranges::equal(seen->histories.counts, out.artifact.histories.counts));
  EXPECT_TRUE(std::ranges::equal(seen->histories.repurchase, out.artifact.histories.repurchase));
}

TEST_F(TrainingRunTest, DataWithoutTimeCannotBeCutByTime) {
  Dataset shop = shop_of(planted_rows(), false);
  TrainingRequest request;
  request.validation = *parse_validation("last-days:7");
  NoProgress progress;
  const auto out = run_training(shop, request, backend_, progress);
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("cuts by time"));
  EXPECT_TRUE(backend_.trained_on.empty());
}

}  // namespace
}  // namespace bouquet::training
