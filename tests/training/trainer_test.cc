#include "training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/errors.h"
#include "tests/training/naive_model.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;

// Each epoch's model says which epoch it is; the figures are given.
class ScriptedSession : public TrainingSession {
 public:
  explicit ScriptedSession(int32_t* epochs) : epochs_(epochs) {}
  absl::StatusOr<EpochStats> run_epoch() override {
    ++*epochs_;
    return EpochStats{.epoch = *epochs_, .objective = 100.0 / *epochs_, .seconds = 0.5};
  }
  absl::StatusOr<Model> snapshot() const override {
    Model model;
    model.dimension = 1;
    model.profiles = std::vector<float>{static_cast<float>(*epochs_)};
    model.item_vectors = std::vector<float>{1};
    model.item_gram = std::vector<float>{1};
    return model;
  }

 private:
  int32_t* epochs_;
};

class ScriptedBackend : public Backend {
 public:
  std::string_view name() const override { return "scripted"; }
  std::string description() const override { return "scripted"; }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override { return std::make_shared<NaiveModel>(model); }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions&, const TrainingOptions&) override {
    return std::make_unique<ScriptedSession>(&epochs);
  }
  MemoryTable judging_memory(const JudgingShape& shape) const override {
    MemoryTable table;
    table.add("rankers", shape.rankers * shape.limits.max_k * int64_t{100});
    return table;
  }
  int64_t memory_free() const override { return free; }

  int32_t epochs = 0;
  int64_t free = 1'000'000;
};

class TrainerTest : public ::testing::Test {
 protected:
  absl::StatusOr<Fit> fit(std::vector<double> figures, int32_t max_epochs, int32_t patience = 2, int32_t min_epochs = 1) {
    const FitPlan plan{.stage = "test", .max_epochs = max_epochs, .min_epochs = min_epochs, .patience = patience, .metric = "ndcg@20"};
    NoProgress progress;
    size_t next = 0;
    const SelectFigure select = [&](const LoadedModel&) -> absl::StatusOr<double> { return figures.at(next++); };
    return fit_model(backend_, Interactions{}, TrainingOptions{}, plan, figures.empty() ? SelectFigure() : select, progress);
  }
  ScriptedBackend backend_;
};

TEST_F(TrainerTest, KeepsTheModelOfTheBestEpochAndStopsAfterThePatience) {
  const auto out = fit({0.1, 0.3, 0.2, 0.29, 0.9}, 10);
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->epochs, 2);
  EXPECT_THAT(out->model.profiles.view(), ElementsAre(2.0f));
  EXPECT_EQ(backend_.epochs, 4);
  ASSERT_EQ(out->reports.size(), 4u);
  EXPECT_EQ(out->reports[2].select_metric, 0.2);
  EXPECT_EQ(out->reports[1].objective, 50);
}

TEST_F(TrainerTest, WhatJudgesMustHaveRoomBesideTheTrainingBeforeTheFirstEpoch) {
  const FitPlan plan{
      .stage = "test", .max_epochs = 3, .metric = "ndcg@20", .judging = {.rankers = 2, .limits = {.max_batch = 64, .max_k = 20}}};
  NoProgress progress;
  const SelectFigure select = [](const LoadedModel&) -> absl::StatusOr<double> { return 0.5; };
  backend_.free = 3999;
  const auto refused = fit_model(backend_, Interactions{}, TrainingOptions{}, plan, select, progress);
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status())) << refused.status();
  EXPECT_THAT(std::string(message_of(refused.status())),
              testing::AllOf(testing::HasSubstr("judging"), testing::HasSubstr("--validation none")));
  EXPECT_EQ(backend_.epochs, 0);
  backend_.free = 4000;
  EXPECT_TRUE(fit_model(backend_, Interactions{}, TrainingOptions{}, plan, select, progress).ok());
}

TEST_F(TrainerTest, OfEqualFiguresTheFirstWins) { EXPECT_EQ(fit({0.3, 0.3, 0.3}, 10)->epochs, 1); }

TEST_F(TrainerTest, FewerThanTheMinimumAreNeverChosen) {
  EXPECT_EQ(fit({0.9, 0.8, 0.3, 0.4, 0.2, 0.1}, 10, 2, 3)->epochs, 4);
  EXPECT_EQ(backend_.epochs, 6);
  EXPECT_EQ(fit({0.9, 0.8, 0.3}, 3, 2, 3)->epochs, 3);
}

TEST_F(TrainerTest, MoreThanTheMaximumIsNeverRun) {
  EXPECT_EQ(fit({0.1, 0.2, 0.3}, 3)->epochs, 3);
  EXPECT_EQ(backend_.epochs, 3);
}

TEST_F(TrainerTest, FigureThatStaysZeroStillGivesAModel) { EXPECT_EQ(fit({0, 0, 0}, 5)->epochs, 1); }

TEST_F(TrainerTest, WithoutASelectPartEveryEpochIsRun) {
  const auto out = fit({}, 5);
  EXPECT_EQ(out->epochs, 5);
  EXPECT_THAT(out->model.profiles.view(), ElementsAre(5.0f));
}

TEST_F(TrainerTest, ErrorOfTheFigureEndsTheFit) {
  NoProgress progress;
  const auto out = fit_model(
      backend_, {}, {}, {.stage = "test", .max_epochs = 3, .patience = 1, .metric = ""},
      [](const LoadedModel&) -> absl::StatusOr<double> { return no_resource("no memory"); }, progress);
  EXPECT_EQ(exit_code(out.status()), kExitNoResource);
  EXPECT_EQ(backend_.epochs, 1);
}

}  // namespace
}  // namespace bouquet::training
