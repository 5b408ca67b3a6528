#include "training/fit_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "cpu_fallback/cpu_backend.h"
#include "engine/scratch_folder.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/conformance/small_shop.h"
#include "tests/engine/small_matrices.h"
#include "tests/training/planted_shop.h"
#include "training/training_run.h"

namespace bouquet::training {
namespace {

namespace fs = std::filesystem;

Model some_model(uint64_t seed) {
  Model model;
  model.dimension = 3;
  model.profiles = random_floats(4 * 3, seed);
  model.item_vectors = random_floats(5 * 3, seed + 1);
  model.item_gram = random_floats(9, seed + 2);
  model.customer_prior = {1, random_floats(3 * 3, seed + 3)};
  model.constants = {0.1, 1.0 / 3, 0.5, 5, 4};
  return model;
}

bool same(const Model& a, const Model& b) {
  const auto equal = [](const SharedArray<float>& x, const SharedArray<float>& y) { return std::ranges::equal(x, y); };
  return a.dimension == b.dimension && equal(a.profiles, b.profiles) && equal(a.item_vectors, b.item_vectors) &&
         equal(a.item_gram, b.item_gram) && equal(a.customer_prior.map, b.customer_prior.map) &&
         equal(a.item_prior.map, b.item_prior.map) && a.customer_prior.dense_count == b.customer_prior.dense_count &&
         a.constants.regularization == b.constants.regularization && a.constants.training_item_count == b.constants.training_item_count;
}

FitState some_state(int32_t best, bool finished) {
  FitState state;
  state.fit.epochs = best;
  for (int32_t epoch = 1; epoch <= 3; ++epoch) state.fit.reports.push_back({epoch, 100.0 / epoch, 0.1 * epoch, 0.5});
  if (best > 0) state.fit.model = some_model(static_cast<uint64_t>(best));
  state.last = some_model(3);
  state.finished = finished;
  return state;
}

class Checkpoints : public testing::Test {
 protected:
  FitCheckpoints open() {
    auto opened = FitCheckpoints::open(folder());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  std::string folder() const { return place_.path() + "/kept"; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder()))
      if (entry.path().filename() != "lock") names.push_back(entry.path());
    return names;
  }

  const ScratchFolder place_ = *ScratchFolder::make("checkpoints");
};

TEST_F(Checkpoints, GiveBackWhatWasKept) {
  const FitCheckpoints kept = open();
  EXPECT_FALSE(kept.find("a").has_value());
  for (const int32_t best : {0, 2, 3}) {
    const FitState state = some_state(best, false);
    ASSERT_TRUE(kept.keep("a", state).ok());
    const auto found = kept.find("a");
    ASSERT_TRUE(found.has_value()) << best;
    EXPECT_EQ(found->fit.epochs, best);
    EXPECT_EQ(found->epoch(), 3);
    EXPECT_FALSE(found->finished);
    EXPECT_TRUE(same(found->last, state.last)) << best;
    if (best > 0) {
      EXPECT_TRUE(same(found->fit.model, state.fit.model)) << best;
    }
    EXPECT_EQ(found->fit.reports[2].objective, 100.0 / 3);
    EXPECT_EQ(found->fit.reports[1].select_metric, 0.2);
  }
  ASSERT_TRUE(kept.keep("a", some_state(2, true)).ok());
  EXPECT_TRUE(kept.find("a")->finished);
  EXPECT_FALSE(kept.find("b").has_value());
  kept.remove_all();
  EXPECT_TRUE(files().empty());
}

TEST_F(Checkpoints, ThatAreDamagedOrCutOffAreNotTaken) {
  const FitCheckpoints kept = open();
  ASSERT_TRUE(kept.keep("a", some_state(2, false)).ok());
  const std::string file = files().at(0);
  const auto size = fs::file_size(file);
  for (const uintmax_t at : {uintmax_t{3}, uintmax_t{20}, size / 2, size - 10}) {
    ASSERT_TRUE(kept.keep("a", some_state(2, false)).ok());
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(damaged.get() ^ 4);
    damaged.seekp(static_cast<std::streamoff>(at));
    damaged.put(byte);
    damaged.close();
    EXPECT_FALSE(kept.find("a").has_value()) << at;
  }
  for (const uintmax_t left : {uintmax_t{0}, uintmax_t{70}, size - 1}) {
    ASSERT_TRUE(kept.keep("a", some_state(2, false)).ok());
    fs::resize_file(file, left);
    EXPECT_FALSE(kept.find("a").has_value()) << left;
  }
}

TEST_F(Checkpoints, AreOfOneTrainingAtATime) {
  {
    const FitCheckpoints kept = open();
    EXPECT_TRUE(absl::IsFailedPrecondition(FitCheckpoints::open(folder()).status()));
  }
  EXPECT_TRUE(FitCheckpoints::open(folder()).ok());
}

TEST(FitFingerprints, DifferWithAllThatDecidesAFit) {
  const Interactions shop = conformance::small_shop({.with_targets = true});
  const TrainingOptions options;
  const FitPlan plan{.stage = "", .metric = "ndcg@20"};
  std::set<std::string> marks{fingerprint_of(shop, options, plan, "cpu")};
  EXPECT_TRUE(marks.contains(fingerprint_of(shop, options, {.stage = "another name of the same", .metric = "ndcg@20"}, "cpu")));
  const auto expect_new = [&](const std::string& mark, const char* what) { EXPECT_TRUE(marks.insert(mark).second) << what; };
  expect_new(fingerprint_of(shop, options, plan, "cuda"), "backend");
  expect_new(fingerprint_of(shop, options, {.stage = "", .patience = 3, .metric = "ndcg@20"}, "cpu"), "patience");
  expect_new(fingerprint_of(shop, options, {.stage = "", .metric = "ndcg@20", .selects_on = "other tests"}, "cpu"), "select part");
  TrainingOptions other = options;
  other.regularization = 0.011;
  expect_new(fingerprint_of(shop, other, plan, "cpu"), "regularization");
  other = options;
  other.attribute_period = 2;
  expect_new(fingerprint_of(shop, other, plan, "cpu"), "period");
  Interactions changed = shop;
  changed.by_customer.confidences[3] *= 2;
  expect_new(fingerprint_of(changed, options, plan, "cpu"), "confidence");
  changed = shop;
  changed.by_customer.targets[3] = 1 - changed.by_customer.targets[3];
  expect_new(fingerprint_of(changed, options, plan, "cpu"), "target");
  changed = shop;
  changed.customer_attributes = conformance::random_attributes(shop.customer_count(), {.dense = 2, .sparse = 3});
  expect_new(fingerprint_of(changed, options, plan, "cpu"), "attributes");
  changed.customer_attribute_ridges = {1, 2, 3, 4, 5};
  expect_new(fingerprint_of(changed, options, plan, "cpu"), "ridges");
}

// A backend that is killed in the epoch after `epochs_left`, as far as a test can tell.
class KilledBackend : public Backend {
 public:
  explicit KilledBackend(int32_t epochs_left) : left_(epochs_left) {}

  std::string_view name() const override { return inner_->name(); }
  std::string description() const override { return inner_->description(); }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override { return inner_->load(model); }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override {
    auto session = inner_->start_training(interactions, options);
    if (!session.ok()) return session.status();
    return std::make_unique<Session>(*std::move(session), *this);
  }
  int32_t epochs_run() const { return run_; }

 private:
  class Session : public TrainingSession {
   public:
    Session(std::unique_ptr<TrainingSession> inner, KilledBackend& backend) : inner_(std::move(inner)), backend_(backend) {}
    absl::StatusOr<EpochStats> run_epoch() override {
      if (backend_.left_-- == 0) return absl::AbortedError("killed");
      ++backend_.run_;
      return inner_->run_epoch();
    }
    absl::StatusOr<Model> snapshot() const override { return inner_->snapshot(); }
    absl::Status go_on_from(const Model& model, int32_t epoch) override { return inner_->go_on_from(model, epoch); }

   private:
    const std::unique_ptr<TrainingSession> inner_;
    KilledBackend& backend_;
  };

  const std::unique_ptr<Backend> inner_ = *cpu::make_cpu_backend(2);
  int32_t left_, run_ = 0;
};

TEST_F(Checkpoints, LetATrainingGoOnWhereItWasKilledWithTheResultOfOneThatWasNot) {
  TrainingRequest request;
  request.options.dimension = 8;
  request.validation = *parse_validation("last-days:10");
  request.epochs = 4;
  request.workers = 2;
  request.resamples = 50;
  NoProgress progress;
  const auto train = [&](KilledBackend& backend, const FitCheckpoints* kept) {
    Dataset shop = shop_of(planted_rows());
    return run_training(shop, request, backend, progress, kept);
  };
  KilledBackend never(INT32_MAX);
  const auto whole = train(never, nullptr);
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_GT(never.epochs_run(), 8);

  const FitCheckpoints kept = open();
  int32_t epochs = 0, kills = 0;
  for (;; ++kills) {
    ASSERT_LT(kills, 100);
    KilledBackend backend(1 + kills % 3);
    const auto outcome = train(backend, &kept);
    epochs += backend.epochs_run();
    if (!outcome.ok()) {
      ASSERT_TRUE(absl::IsAborted(outcome.status())) << outcome.status();
      continue;
    }
    EXPECT_TRUE(same(outcome->artifact.model, whole->artifact.model));
    EXPECT_EQ(outcome->artifact.recipe.epochs, whole->artifact.recipe.epochs);
    EXPECT_EQ(outcome->artifact.rules.repurchase_half_life_days, whole->artifact.rules.repurchase_half_life_days);
    ASSERT_EQ(outcome->epochs.size(), whole->epochs.size());
    for (size_t e = 0; e < whole->epochs.size(); ++e) {
      EXPECT_EQ(outcome->epochs[e].objective, whole->epochs[e].objective);
      EXPECT_EQ(outcome->epochs[e].select_metric, whole->epochs[e].select_metric);
    }
    break;
  }
  EXPECT_GT(kills, 3);
  EXPECT_EQ(epochs, never.epochs_run()) << "an epoch was run again";
}

}  // namespace
}  // namespace bouquet::training
