// Ring 3 of the conformance suite: attribute priors, in training and in fold-in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "engine/errors.h"
#include "tests/conformance/backend_test.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/conformance/small_shop.h"
#include "tests/conformance/trained.h"
#include "tests/oracle/ials.h"

namespace bouquet::conformance {
namespace {

constexpr double kMapError = 2e-6;

TrainingOptions options_of(int32_t dimension) {
  TrainingOptions options = training_options(dimension);
  options.regularization = 0.4;
  options.customer_attribute_regularization = 2;
  options.item_attribute_regularization = 0.5;
  options.attribute_warmup = 1;
  return options;
}

MatrixView<const float> map_of(const AttributePrior& prior, int32_t d) { return {prior.map.data(), int64_t{prior.column_count(d)} + 1, d}; }

// Every third column has some, and no two the same.
std::vector<double> added_ridges(const AttributeTable& table) {
  std::vector<double> ridges(static_cast<size_t>(table.column_count));
  for (size_t f = 0; f < ridges.size(); f += 3) ridges[f] = 5 + static_cast<double>(f);
  return ridges;
}

Interactions shop_with_attributes(const ShopShape& shape, const AttributeShape& customers, const AttributeShape& items) {
  Interactions shop = small_shop(shape);
  shop.customer_attributes = random_attributes(shop.customer_count(), customers);
  shop.item_attributes = random_attributes(shop.item_count(), items);
  shop.customer_attribute_ridges = added_ridges(shop.customer_attributes);
  shop.item_attribute_ridges = added_ridges(shop.item_attributes);
  return shop;
}

oracle::Priors priors_of(const Interactions& shop, const Model& model, const TrainingOptions& options) {
  oracle::Priors priors{map_of(model.customer_prior, model.dimension), map_of(model.item_prior, model.dimension),
                        added_ridges(shop.customer_attributes), added_ridges(shop.item_attributes)};
  for (double& ridge : priors.customer_ridges) ridge += options.customer_attribute_regularization;
  for (double& ridge : priors.item_ridges) ridge += options.item_attribute_regularization;
  return priors;
}

class Attributes : public BackendTest {
 protected:
  Model train(const Interactions& shop, const TrainingOptions& options, int epochs) {
    return conformance::train(backend(), shop, options, epochs);
  }

  // The steps of the last of `epochs` epochs: both maps against the vectors they were fitted to, both half-steps against their equations.
  void check(int32_t d, const ShopShape& shape, const AttributeShape& customers, const AttributeShape& items, int epochs = 2,
             double customers_error = kBackwardError) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const Interactions shop = shop_with_attributes(shape, customers, items);
    const TrainingOptions options = options_of(d);
    const Model before = train(shop, options, epochs - 1);
    const Model after = train(shop, options, epochs);
    const auto customer_map = map_of(after.customer_prior, d);
    const auto item_map = map_of(after.item_prior, d);
    const oracle::Settings s = settings_of(options);
    const oracle::Priors priors = priors_of(shop, after, options);
    EXPECT_LT(oracle::map_error(shop.by_customer, shop.customer_attributes.rows(), before.profile_matrix(), customer_map, shop.item_count(),
                                priors.customer_ridges, s),
              kMapError);
    EXPECT_LT(oracle::map_error(shop.by_item, shop.item_attributes.rows(), before.item_matrix(), item_map, shop.customer_count(),
                                priors.item_ridges, s),
              kMapError);
    EXPECT_LT(worst_error(shop.by_item, after.item_matrix(), before.profile_matrix(), options, {shop.item_attributes.rows(), item_map}),
              kBackwardError);
    EXPECT_LT(worst_error(shop.by_customer, after.profile_matrix(), after.item_matrix(), options,
                          {shop.customer_attributes.rows(), customer_map}),
              customers_error);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Attributes, testing::ValuesIn(backend_names()), backend_test_name);

TEST_P(Attributes, StepsSolveTheirEquationsAtEveryDimension) {
  for (const int32_t d : {1, 2, 31, 33, 64, 101, 128}) check(d, {.customers = 60, .items = 160}, {}, {.dense = 5, .sparse = 20, .seed = 6});
}

TEST_P(Attributes, StepsSolveTheirEquationsWithTargets) { check(33, {.with_targets = true}, {}, {.seed = 8}); }

TEST_P(Attributes, MayBeDenseAlone) { check(33, {}, {.dense = 20, .sparse = 0}, {.dense = 1, .sparse = 0}); }

TEST_P(Attributes, MayBeSparseAlone) { check(33, {}, {.dense = 0, .sparse = 70}, {.dense = 0, .sparse = 1}); }

TEST_P(Attributes, MayBeMoreColumnsThanRows) { check(16, {.customers = 40, .items = 30}, {.dense = 30, .sparse = 100}, {.sparse = 300}); }

// More columns than are factorized: the map is found by conjugate gradients, exactly where it takes few of them.
TEST_P(Attributes, MayBeThousandsOfColumns) {
  if (small_shapes()) GTEST_SKIP() << "large shapes are left out";
  // The mean of a customer who has all of them is a sum of 6,100 terms in float.
  check(2, {.customers = 20, .items = 40}, {.dense = 2, .sparse = 6100}, {.sparse = 30}, 2, 10 * kBackwardError);
}

TEST_P(Attributes, ObjectiveIsTheOraclesAndNeverRises) {
  for (const int32_t d : {8, 33}) {
    const Interactions shop = shop_with_attributes({.with_targets = true}, {}, {.seed = 9});
    TrainingOptions options = options_of(d);
    options.attribute_warmup = 2;
    auto session = backend().start_training(shop, options);
    ASSERT_TRUE(session.ok()) << session.status();
    double before = std::numeric_limits<double>::infinity();
    for (int epoch = 1; epoch <= 6; ++epoch) {
      const auto stats = (*session)->run_epoch();
      ASSERT_TRUE(stats.ok()) << stats.status();
      EXPECT_LE(stats->objective, before * (1 + 1e-7)) << "epoch " << epoch;
      before = stats->objective;
      const auto model = (*session)->snapshot();
      ASSERT_TRUE(model.ok());
      const oracle::Priors priors = priors_of(shop, *model, options);
      const double expected = oracle::objective(shop, model->profile_matrix(), model->item_matrix(), settings_of(options), priors);
      EXPECT_NEAR(stats->objective, expected, 1e-6 * expected) << "epoch " << epoch;
    }
  }
}

// Within the warm-up, after it, and where the map is found by conjugate gradients.
TEST_P(Attributes, AreInWhatATrainingGoesOnFrom) {
  struct Shape {
    int32_t d;
    conformance::AttributeShape customers;
    int32_t after;
  };
  std::vector<Shape> tried{{16, {}, 1}, {16, {}, 3}};
  if (!small_shapes()) tried.push_back({2, {.dense = 2, .sparse = 6100}, 2});
  for (const Shape& shape : tried) {
    const Interactions shop = shop_with_attributes({.customers = 20, .items = 40}, shape.customers, {.seed = 9});
    TrainingOptions options = options_of(shape.d);
    options.attribute_warmup = shape.after == 1 ? 2 : 1;
    expect_the_same_bits_after_going_on(backend(), shop, options, shape.after, 2);
  }
}

TEST_P(Attributes, WaitForTheWarmUpAndKeepThePeriod) {
  const Interactions shop = shop_with_attributes({}, {}, {.seed = 9});
  TrainingOptions options = options_of(16);
  options.attribute_warmup = 2;
  options.attribute_period = 2;
  std::vector<Model> models;
  for (int epochs = 1; epochs <= 5; ++epochs) models.push_back(train(shop, options, epochs));
  const auto same = [&](int a, int b) {
    const auto& x = models[static_cast<size_t>(a) - 1];
    const auto& y = models[static_cast<size_t>(b) - 1];
    return std::ranges::equal(x.customer_prior.map, y.customer_prior.map) && std::ranges::equal(x.item_prior.map, y.item_prior.map);
  };
  EXPECT_THAT(models[1].customer_prior.map.view(), testing::Each(0.0f));
  EXPECT_FALSE(same(2, 3));
  EXPECT_TRUE(same(3, 4));
  EXPECT_FALSE(same(4, 5));
}

TEST_P(Attributes, OfOneSideLeaveTheOtherWithoutAPrior) {
  Interactions shop = small_shop({});
  shop.item_attributes = random_attributes(shop.item_count(), {});
  const Model model = train(shop, options_of(8), 3);
  EXPECT_TRUE(model.customer_prior.map.empty());
  EXPECT_EQ(model.item_prior.column_count(8), 43);
  EXPECT_TRUE(validate(model).ok());
}

TEST_P(Attributes, ThatDoNotFitAreRefused) {
  Interactions shop = small_shop({});
  shop.customer_attributes = random_attributes(shop.customer_count() - 1, {});
  EXPECT_TRUE(absl::IsInvalidArgument(backend().start_training(shop, options_of(8)).status()));
  shop.customer_attributes = random_attributes(shop.customer_count(), {});
  std::vector<float> values(shop.customer_attributes.values.begin(), shop.customer_attributes.values.end());
  values[3] = std::numeric_limits<float>::quiet_NaN();
  shop.customer_attributes.values = values;
  EXPECT_TRUE(absl::IsInvalidArgument(backend().start_training(shop, options_of(8)).status()));
}

TEST_P(Attributes, RidgesThatDoNotFitAreRefused) {
  Interactions shop = shop_with_attributes({}, {}, {.seed = 9});
  const std::vector<double> right = shop.item_attribute_ridges;
  const auto refused = [&](const std::vector<double>& ridges) {
    shop.item_attribute_ridges = ridges;
    const absl::Status s = backend().start_training(shop, options_of(8)).status();
    return absl::IsInvalidArgument(s) && message_of(s).starts_with("items: ");
  };
  EXPECT_TRUE(refused({right.begin(), right.end() - 1}));
  std::vector<double> wrong = right;
  wrong.back() = -1;
  EXPECT_TRUE(refused(wrong));
  wrong.back() = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(refused(wrong));
  EXPECT_FALSE(refused({}));
  EXPECT_FALSE(refused(right));
}

TEST_P(Attributes, TrainingIsTheSameTwice) {
  const Interactions shop = shop_with_attributes({}, {}, {.seed = 9});
  const Model a = train(shop, options_of(33), 3);
  const Model b = train(shop, options_of(33), 3);
  EXPECT_TRUE(std::ranges::equal(a.profiles, b.profiles));
  EXPECT_TRUE(std::ranges::equal(a.customer_prior.map, b.customer_prior.map));
  EXPECT_TRUE(std::ranges::equal(a.item_prior.map, b.item_prior.map));
}

// ---- fold-in

class AttributeFoldIn : public Attributes {
 protected:
  void prepare(int32_t d) {
    d_ = d;
    shop_ = shop_with_attributes({.with_targets = true}, {}, {.seed = 9});
    model_ = train(shop_, options_of(d), 3);
    auto loaded = backend().load(model_);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    loaded_ = *std::move(loaded);
  }

  static HistoryBatch histories(const SparseRows& rows, const AttributeTable& attributes) {
    return {rows.offsets, rows.columns, rows.confidences, rows.targets, attributes.rows()};
  }

  absl::StatusOr<std::vector<float>> solve(Side side, const HistoryBatch& batch) {
    auto profiler = loaded_->make_profiler({.max_batch = 256, .solved = side});
    if (!profiler.ok()) return profiler.status();
    const auto n = static_cast<int64_t>(batch.offsets.size()) - 1;
    std::vector<float> solved(static_cast<size_t>(n * d_));
    const absl::Status s = (*profiler)->solve(batch, {.profiles = {solved.data(), n, d_}});
    if (!s.ok()) return s;
    return solved;
  }

  int32_t d_ = 0;
  Interactions shop_;
  Model model_;
  std::shared_ptr<const LoadedModel> loaded_;
};
INSTANTIATE_TEST_SUITE_P(Backends, AttributeFoldIn, testing::ValuesIn(backend_names()), backend_test_name);

TEST_P(AttributeFoldIn, OfATrainingHistoryIsTheStoredProfile) {
  for (const int32_t d : {1, 31, 33, 64, 128}) {
    ASSERT_NO_FATAL_FAILURE(prepare(d));
    const auto profiles = solve(Side::kCustomers, histories(shop_.by_customer, shop_.customer_attributes));
    ASSERT_TRUE(profiles.ok()) << profiles.status();
    if (GetParam() == "cpu") {
      EXPECT_EQ(0, std::memcmp(profiles->data(), model_.profiles.data(), profiles->size() * sizeof(float))) << "d = " << d;
      continue;
    }
    for (size_t u = 0; u < static_cast<size_t>(shop_.customer_count()); ++u) {
      double gap = 0, norm = 0;
      for (size_t j = u * static_cast<size_t>(d); j < (u + 1) * static_cast<size_t>(d); ++j) {
        gap += std::pow(double{(*profiles)[j]} - double{model_.profiles[static_cast<int64_t>(j)]}, 2);
        norm += std::pow(double{(*profiles)[j]}, 2);
      }
      EXPECT_LE(std::sqrt(gap), 1e-5 * std::sqrt(norm)) << "customer " << u << ", d = " << d;
    }
  }
}

TEST_P(AttributeFoldIn, OfAnEmptyHistoryIsTheShrunkPrior) {
  for (const int32_t d : {2, 33, 128}) {
    ASSERT_NO_FATAL_FAILURE(prepare(d));
    const AttributeTable strangers = random_attributes(20, {.seed = 77});
    const std::vector<int64_t> offsets(21, 0);
    HistoryBatch batch;
    batch.offsets = offsets;
    batch.attributes = strangers.rows();
    const auto profiles = solve(Side::kCustomers, batch);
    ASSERT_TRUE(profiles.ok()) << profiles.status();
    const oracle::FixedSide items(model_.item_matrix());
    double norm = 0;
    for (int64_t r = 0; r < 20; ++r) {
      const auto mean = oracle::prior_mean(strangers.rows(), r, map_of(model_.customer_prior, d));
      const auto equations = oracle::normal_equations({}, items, settings_of(options_of(d)), mean);
      const auto profile = std::span(*profiles).subspan(static_cast<size_t>(r * d), static_cast<size_t>(d));
      EXPECT_LT(oracle::backward_error(equations, profile), kBackwardError) << "row " << r << ", d = " << d;
      for (const float x : profile) norm += std::abs(double{x});
    }
    EXPECT_GT(norm, 0);
  }
}

// W = s alpha0 QᵀQ + ridge I, profile and factor alike, from s = 1 to s = 0, where the profile is the prior mean.
TEST_P(AttributeFoldIn, OfAnEmptyHistoryCountsOnlyItsShareOfTheUnobserved) {
  for (const int32_t d : {2, 33, 128}) {
    ASSERT_NO_FATAL_FAILURE(prepare(d));
    const auto n = static_cast<size_t>(d);
    const AttributeTable strangers = random_attributes(3, {.seed = 77});
    const std::vector<int64_t> offsets(4, 0);
    HistoryBatch batch;
    batch.offsets = offsets;
    batch.attributes = strangers.rows();
    const oracle::FixedSide items(model_.item_matrix());
    const auto known_before = solve(Side::kCustomers, histories(shop_.by_customer, shop_.customer_attributes));
    const std::vector<float> all_of_it = *solve(Side::kCustomers, batch);
    for (const double share : {0.0, 0.01, 0.3}) {
      model_.constants.empty_history_share = share;
      loaded_ = *backend().load(model_);
      const auto profiler = loaded_->make_profiler({.max_batch = 3});
      ASSERT_TRUE(profiler.ok());
      std::vector<float> solved(3 * n), factors(3 * n * n);
      ASSERT_TRUE((*profiler)->solve(batch, {.profiles = {solved.data(), 3, d}, .cholesky = factors}).ok());
      EXPECT_NE(solved, all_of_it);
      for (size_t r = 0; r < 3; ++r) {
        const auto mean = oracle::prior_mean(strangers.rows(), static_cast<int64_t>(r), map_of(model_.customer_prior, d));
        const auto whole = oracle::normal_equations({}, items, settings_of(options_of(d)), mean);
        oracle::NormalEquations equations = whole;
        const double ridge = whole.matrix[0] - options_of(d).unobserved_weight * items.gram[0];
        for (size_t e = 0; e < n * n; ++e)
          equations.matrix[e] = share * options_of(d).unobserved_weight * items.gram[e] + (e % (n + 1) == 0 ? ridge : 0);
        EXPECT_LT(oracle::backward_error(equations, std::span(solved).subspan(r * n, n)), kBackwardError) << "share " << share;
        for (size_t i = 0; i < n; ++i) {
          if (share == 0) {
            EXPECT_NEAR(double{solved[r * n + i]}, mean[i], 2e-5 * std::abs(whole.right_scale / ridge));
          }
          for (size_t j = 0; j <= i; ++j) {
            double product = 0;
            for (size_t k = 0; k <= j; ++k) product += double{factors[(r * n + i) * n + k]} * double{factors[(r * n + j) * n + k]};
            EXPECT_NEAR(product, equations.matrix[i * n + j], 1e-4 * whole.matrix[i * n + i]) << "share " << share << ", d = " << d;
          }
        }
      }
      const auto known = solve(Side::kCustomers, histories(shop_.by_customer, shop_.customer_attributes));
      for (size_t c = 0; c * n < known->size(); ++c)
        if (shop_.by_customer.row_length(static_cast<int64_t>(c)) > 0) {
          EXPECT_TRUE(std::ranges::equal(std::span(*known).subspan(c * n, n), std::span(*known_before).subspan(c * n, n)))
              << "who has events is solved as ever: " << c;
        }
    }
    model_.constants.empty_history_share = 1.5;
    EXPECT_FALSE(backend().load(model_).ok());
  }
}

TEST_P(AttributeFoldIn, OfItemsIsTheirHalfStep) {
  for (const int32_t d : {8, 33, 128}) {
    ASSERT_NO_FATAL_FAILURE(prepare(d));
    Interactions others = small_shop({.seed = 99, .with_targets = true});
    const AttributeTable attributes = random_attributes(others.item_count(), {.seed = 78});
    const auto vectors = solve(Side::kItems, histories(others.by_item, attributes));
    ASSERT_TRUE(vectors.ok()) << vectors.status();
    const MatrixView<const float> solved{vectors->data(), others.item_count(), d};
    EXPECT_LT(
        worst_error(others.by_item, solved, model_.profile_matrix(), options_of(d), {attributes.rows(), map_of(model_.item_prior, d)}),
        kBackwardError)
        << "d = " << d;
  }
}

TEST_P(AttributeFoldIn, DoesNotDependOnTheRestOfTheBatch) {
  ASSERT_NO_FATAL_FAILURE(prepare(64));
  const auto together = solve(Side::kCustomers, histories(shop_.by_customer, shop_.customer_attributes));
  ASSERT_TRUE(together.ok()) << together.status();
  for (int32_t u = 0; u < shop_.customer_count(); u += 7) {
    const oracle::Row row = oracle::row_of(shop_.by_customer, u);
    const std::vector<int64_t> offsets{0, static_cast<int64_t>(row.columns.size())};
    const AttributeTable attributes = row_alone(shop_.customer_attributes, u);
    const auto alone = solve(Side::kCustomers, {offsets, row.columns, row.confidences, row.targets, attributes.rows()});
    ASSERT_TRUE(alone.ok()) << alone.status();
    EXPECT_EQ(0, std::memcmp(alone->data(), together->data() + u * 64, 64 * sizeof(float))) << "customer " << u;
  }
}

TEST_P(AttributeFoldIn, RefusesAttributesThatAreMissingOrOfAnotherShape) {
  ASSERT_NO_FATAL_FAILURE(prepare(8));
  const std::vector<int64_t> offsets{0, 0};
  HistoryBatch batch;
  batch.offsets = offsets;
  const auto expect_refused = [&](const char* says) {
    const auto solved = solve(Side::kCustomers, batch);
    EXPECT_TRUE(absl::IsInvalidArgument(solved.status())) << solved.status();
    EXPECT_THAT(std::string(message_of(solved.status())), testing::HasSubstr(says));
  };
  expect_refused("attributes of 0 columns");
  const AttributeTable narrow = random_attributes(1, {.sparse = 39});
  batch.attributes = narrow.rows();
  expect_refused("the model takes 43");
  const AttributeTable two = random_attributes(2, {});
  batch.attributes = two.rows();
  expect_refused("2 rows of attributes where 1 belong");
}

}  // namespace
}  // namespace bouquet::conformance
