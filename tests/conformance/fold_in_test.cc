// Ring 3 of the conformance suite: fold-in. A profile solved from a training history is the stored profile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "tests/conformance/backend_test.h"
#include "tests/conformance/small_shop.h"
#include "tests/oracle/ials.h"

namespace bouquet::conformance {
namespace {

constexpr oracle::Settings kSettings{.alpha0 = 0.2, .lambda = 0.1, .nu = 0.5};

// Histories as vectors, for tests that spoil them.
struct Histories {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  std::vector<float> confidences;
  std::vector<float> targets;

  static Histories of(const SparseRows& rows, const std::vector<int32_t>& which) {
    Histories h;
    for (const int32_t r : which) {
      const oracle::Row row = oracle::row_of(rows, r);
      h.items.insert(h.items.end(), row.columns.begin(), row.columns.end());
      h.confidences.insert(h.confidences.end(), row.confidences.begin(), row.confidences.end());
      h.targets.insert(h.targets.end(), row.targets.begin(), row.targets.end());
      h.offsets.push_back(static_cast<int64_t>(h.items.size()));
    }
    return h;
  }
  HistoryBatch batch() const { return {offsets, items, confidences, targets}; }
  int64_t count() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

class FoldIn : public BackendTest {
 protected:
  void train(int32_t dimension, const ShopShape& shape, int epochs = 2) {
    d_ = dimension;
    shop_ = small_shop(shape);
    TrainingOptions options;
    options.dimension = dimension;
    options.unobserved_weight = kSettings.alpha0;
    options.regularization = kSettings.lambda;
    options.regularization_exponent = kSettings.nu;
    auto session = backend().start_training(shop_, options);
    ASSERT_TRUE(session.ok()) << session.status();
    for (int e = 0; e < epochs; ++e) ASSERT_TRUE((*session)->run_epoch().ok());
    auto model = (*session)->snapshot();
    ASSERT_TRUE(model.ok());
    model_ = *std::move(model);
    auto loaded = backend().load(model_);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    loaded_ = *std::move(loaded);
  }

  std::unique_ptr<Profiler> profiler(int32_t max_batch = 256) {
    auto made = loaded_->make_profiler({.max_batch = max_batch});
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }

  // Solves into guarded space, checks the bands and returns the profiles.
  std::vector<float> solve(Profiler& with, const Histories& histories) {
    Guarded<float> out(static_cast<size_t>(histories.count() * d_), 7.5f);
    const absl::Status s = with.solve(histories.batch(), {.profiles = {out.span().data(), histories.count(), d_}});
    EXPECT_TRUE(s.ok()) << s;
    EXPECT_TRUE(out.bands_intact());
    return {out.span().begin(), out.span().end()};
  }

  std::vector<int32_t> all_customers() const {
    std::vector<int32_t> all(static_cast<size_t>(shop_.customer_count()));
    for (size_t u = 0; u < all.size(); ++u) all[u] = static_cast<int32_t>(u);
    return all;
  }

  void expect_refused(const Histories& histories, const std::string& says, int32_t max_batch = 256) {
    const auto with = profiler(max_batch);
    Guarded<float> profiles(static_cast<size_t>(histories.count() * d_), 7.5f);
    Guarded<float> factors(static_cast<size_t>(histories.count() * d_ * d_), 7.5f);
    const absl::Status s =
        with->solve(histories.batch(), {.profiles = {profiles.span().data(), histories.count(), d_}, .cholesky = factors.span()});
    EXPECT_TRUE(absl::IsInvalidArgument(s)) << s;
    EXPECT_THAT(std::string(message_of(s)), testing::HasSubstr(says));
    EXPECT_TRUE(profiles.untouched());
    EXPECT_TRUE(factors.untouched());
  }

  int64_t d_ = 0;
  Interactions shop_;
  Model model_;
  std::shared_ptr<const LoadedModel> loaded_;
};
INSTANTIATE_TEST_SUITE_P(Backends, FoldIn, testing::ValuesIn(backend_names()), backend_test_name);

TEST_P(FoldIn, OfATrainingHistoryIsTheStoredProfile) {
  for (const int32_t d : shapes({1, 2, 31, 33, 64, 101, 128}, {2, 33})) {
    for (const bool with_targets : {false, true}) {
      ASSERT_NO_FATAL_FAILURE(train(d, {.customers = 60, .with_targets = with_targets}));
      const auto profiles = solve(*profiler(), Histories::of(shop_.by_customer, all_customers()));
      if (GetParam() == "cpu") {
        EXPECT_EQ(0, std::memcmp(profiles.data(), model_.profiles.data(), profiles.size() * sizeof(float))) << "d = " << d;
        continue;
      }
      for (int32_t u = 0; u < shop_.customer_count(); ++u) {
        double gap = 0, norm = 0;
        for (int64_t j = 0; j < d; ++j) {
          const double stored = double{model_.profiles[u * d + j]};
          gap += std::pow(stored - double{profiles[static_cast<size_t>(u * d + j)]}, 2);
          norm += stored * stored;
        }
        EXPECT_LE(std::sqrt(gap), 1e-5 * std::sqrt(norm)) << "customer " << u << ", d = " << d;
      }
    }
  }
}

TEST_P(FoldIn, DoesNotDependOnTheRestOfTheBatch) {
  ASSERT_NO_FATAL_FAILURE(train(small_shapes() ? 8 : 64, {.with_targets = true}));
  const auto with = profiler();
  const auto together = solve(*with, Histories::of(shop_.by_customer, all_customers()));
  for (const int32_t u : all_customers()) {
    const auto alone = solve(*with, Histories::of(shop_.by_customer, {u}));
    EXPECT_EQ(0, std::memcmp(alone.data(), together.data() + u * d_, alone.size() * sizeof(float))) << "customer " << u;
  }
}

TEST_P(FoldIn, SolvesTheNormalEquationsOfNewHistories) {
  for (const int32_t d : shapes({1, 33, 128}, {1, 33})) {
    ASSERT_NO_FATAL_FAILURE(train(d, {}));
    const Interactions others = small_shop({.seed = 99, .with_targets = true});
    const auto profiles = solve(*profiler(), Histories::of(others.by_customer, all_customers()));
    const oracle::FixedSide items(model_.item_matrix());
    for (int32_t u = 0; u < others.customer_count(); ++u) {
      const auto equations = oracle::normal_equations(oracle::row_of(others.by_customer, u), items, kSettings);
      EXPECT_LT(oracle::backward_error(equations, std::span(profiles).subspan(static_cast<size_t>(u * d), static_cast<size_t>(d))), 2e-6)
          << "customer " << u << ", d = " << d;
    }
  }
}

TEST_P(FoldIn, OfAnEmptyHistoryIsZero) {
  ASSERT_NO_FATAL_FAILURE(train(33, {}));
  Histories two_empty;
  two_empty.offsets = {0, 0, 0};
  EXPECT_THAT(solve(*profiler(), two_empty), testing::Each(0.0f));
}

TEST_P(FoldIn, AcceptsABatchOfNone) {
  ASSERT_NO_FATAL_FAILURE(train(8, {}));
  EXPECT_TRUE(profiler()->solve(Histories{}.batch(), {.profiles = {nullptr, 0, 8}}).ok());
}

TEST_P(FoldIn, GivesTheCholeskyFactorOfTheMatrix) {
  for (const int32_t d : shapes({1, 31, 64}, {1, 31})) {
    ASSERT_NO_FATAL_FAILURE(train(d, {.with_targets = true}));
    const std::vector<int32_t> customers{0, 1, 2, 3};
    const Histories histories = Histories::of(shop_.by_customer, customers);
    const auto size = static_cast<size_t>(d) * static_cast<size_t>(d);
    std::vector<float> profiles(customers.size() * static_cast<size_t>(d));
    Guarded<float> factors(customers.size() * size, 7.5f);
    ASSERT_TRUE(profiler()->solve(histories.batch(), {.profiles = {profiles.data(), 4, d}, .cholesky = factors.span()}).ok());
    EXPECT_TRUE(factors.bands_intact());
    const oracle::FixedSide items(model_.item_matrix());
    for (size_t u = 0; u < customers.size(); ++u) {
      const auto w = oracle::normal_equations(oracle::row_of(shop_.by_customer, customers[u]), items, kSettings).matrix;
      const auto l = factors.span().subspan(u * size, size);
      const auto n = static_cast<size_t>(d);
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) {
          double product = 0;
          for (size_t k = 0; k < n; ++k) product += double{l[i * n + k]} * double{l[j * n + k]};
          EXPECT_NEAR(product, w[i * n + j], 1e-5 * std::sqrt(w[i * n + i] * w[j * n + j]));
          if (j > i) {
            EXPECT_EQ(l[i * n + j], 0.0f);
          }
        }
      }
    }
    // Asking for the factors changes no bit of the profiles.
    EXPECT_EQ(solve(*profiler(), histories), profiles);
  }
}

TEST_P(FoldIn, RefusesItemsOutOfRangeAndOutOfOrder) {
  ASSERT_NO_FATAL_FAILURE(train(8, {}));
  Histories past_the_end = Histories::of(shop_.by_customer, {3, 4});
  past_the_end.items.back() = shop_.item_count();
  expect_refused(past_the_end, "history 1: item 90");
  Histories negative = Histories::of(shop_.by_customer, {3, 4});
  negative.items[0] = -1;
  expect_refused(negative, "history 0: item -1");
  Histories twice = Histories::of(shop_.by_customer, {3, 4});
  twice.items[1] = twice.items[0];
  expect_refused(twice, "do not ascend");
}

TEST_P(FoldIn, RefusesWeightsThatAreNotPositiveAndFinite) {
  ASSERT_NO_FATAL_FAILURE(train(8, {.with_targets = true}));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 0.0f, -1.0f}) {
    Histories histories = Histories::of(shop_.by_customer, {3, 4});
    histories.confidences[1] = bad;
    expect_refused(histories, "history 0: the confidence");
  }
  Histories bad_target = Histories::of(shop_.by_customer, {3, 4});
  bad_target.targets[0] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(bad_target, "history 0: the target");
}

TEST_P(FoldIn, RefusesWrongShapes) {
  ASSERT_NO_FATAL_FAILURE(train(8, {.with_targets = true}));
  const Histories good = Histories::of(shop_.by_customer, {3, 4, 5});
  expect_refused(good, "limit of 2", 2);
  Histories short_confidences = good;
  short_confidences.confidences.pop_back();
  expect_refused(short_confidences, "as many entries");
  Histories short_targets = good;
  short_targets.targets.pop_back();
  expect_refused(short_targets, "as many entries");
  Histories descending = good;
  std::swap(descending.offsets[1], descending.offsets[2]);
  expect_refused(descending, "offsets");
  Histories late_start = good;
  late_start.offsets[0] = 1;
  expect_refused(late_start, "offsets");

  Guarded<float> out(3 * 8, 7.5f);
  Guarded<float> factors(3 * 8 * 8 - 1, 7.5f);
  const auto with = profiler();
  EXPECT_TRUE(absl::IsInvalidArgument(with->solve({}, {.profiles = {out.span().data(), 3, 8}})));
  EXPECT_TRUE(absl::IsInvalidArgument(with->solve(good.batch(), {.profiles = {nullptr, 3, 8}})));
  EXPECT_TRUE(absl::IsInvalidArgument(with->solve(good.batch(), {.profiles = {out.span().data(), 2, 8}})));
  EXPECT_TRUE(absl::IsInvalidArgument(with->solve(good.batch(), {.profiles = {out.span().data(), 3, 7}})));
  EXPECT_TRUE(absl::IsInvalidArgument(with->solve(good.batch(), {.profiles = {out.span().data(), 3, 8}, .cholesky = factors.span()})));
  EXPECT_TRUE(out.untouched());
  EXPECT_TRUE(factors.untouched());
  EXPECT_TRUE(with->solve(good.batch(), {.profiles = {out.span().data(), 3, 8}}).ok());  // and works after all these
}

TEST_P(FoldIn, RefusesLimitsAndModelsThatMakeNoSense) {
  ASSERT_NO_FATAL_FAILURE(train(8, {}));
  EXPECT_TRUE(absl::IsInvalidArgument(loaded_->make_profiler({.max_batch = 0}).status()));
  Model broken = model_;
  std::vector<float> gram(model_.item_gram.begin(), model_.item_gram.end());
  gram[5] = std::numeric_limits<float>::infinity();
  broken.item_gram = gram;
  EXPECT_TRUE(absl::IsInvalidArgument(backend().load(broken).status()));
  broken = model_;
  broken.dimension = 7;
  EXPECT_TRUE(absl::IsInvalidArgument(backend().load(broken).status()));
}

TEST_P(FoldIn, OutlivesTheHandleOfItsModel) {
  ASSERT_NO_FATAL_FAILURE(train(8, {}));
  const auto with = profiler();
  const Histories histories = Histories::of(shop_.by_customer, {3});
  const auto before = solve(*with, histories);
  loaded_.reset();
  model_ = {};
  EXPECT_EQ(solve(*with, histories), before);
}

}  // namespace
}  // namespace bouquet::conformance
