// What the tests of training share: a finished training, and its half-steps against the oracle.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/backend.h"
#include "tests/oracle/ials.h"

namespace bouquet::conformance {

// Cholesky in float is backward stable: the error is a small multiple of d times 6e-8.
inline constexpr double kBackwardError = 2e-6;

// What most tests train with.
inline TrainingOptions training_options(int32_t dimension) {
  TrainingOptions options;
  options.dimension = dimension;
  options.seed = 11;
  options.unobserved_weight = 0.3;
  options.regularization = 0.05;
  options.regularization_exponent = 0.7;
  return options;
}

inline oracle::Settings settings_of(const TrainingOptions& o) { return {o.unobserved_weight, o.regularization, o.regularization_exponent}; }

inline Model train(Backend& backend, const Interactions& interactions, const TrainingOptions& options, int epochs) {
  auto session = backend.start_training(interactions, options);
  EXPECT_TRUE(session.ok()) << session.status();
  for (int e = 0; e < epochs; ++e) {
    const auto stats = (*session)->run_epoch();
    EXPECT_TRUE(stats.ok()) << stats.status();
  }
  auto model = (*session)->snapshot();
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

// Trains `after` epochs and `more`; and `after` epochs, then `more` in another session that goes on from the first one's snapshot.
inline void expect_the_same_bits_after_going_on(Backend& backend, const Interactions& interactions, const TrainingOptions& options,
                                                int after, int more) {
  const Model whole = train(backend, interactions, options, after + more);
  const Model halfway = train(backend, interactions, options, after);
  auto session = backend.start_training(interactions, options);
  ASSERT_TRUE(session.ok()) << session.status();
  const absl::Status went_on = (*session)->go_on_from(halfway, after);
  ASSERT_TRUE(went_on.ok()) << went_on;
  for (int e = 1; e <= more; ++e) {
    const auto stats = (*session)->run_epoch();
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(stats->epoch, after + e);
  }
  const auto model = (*session)->snapshot();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(std::ranges::equal(model->profiles, whole.profiles));
  EXPECT_TRUE(std::ranges::equal(model->item_vectors, whole.item_vectors));
  EXPECT_TRUE(std::ranges::equal(model->item_gram, whole.item_gram));
  EXPECT_TRUE(std::ranges::equal(model->customer_prior.map, whole.customer_prior.map));
  EXPECT_TRUE(std::ranges::equal(model->item_prior.map, whole.item_prior.map));
  EXPECT_FALSE(std::ranges::equal(halfway.profiles, whole.profiles)) << "nothing has been trained since";
}

// What rows are drawn to: their attributes times a map. No map: to zero.
struct DrawnTo {
  AttributeRows attributes = {};
  MatrixView<const float> map = {};

  std::vector<double> mean(int64_t r) const { return map.empty() ? std::vector<double>() : oracle::prior_mean(attributes, r, map); }
};

// The worst backward error of `solved` as a half-step against `fixed`.
inline double worst_error(const SparseRows& rows, MatrixView<const float> solved, MatrixView<const float> fixed,
                          const TrainingOptions& options, const DrawnTo& prior = {}) {
  const oracle::FixedSide side(fixed);
  double worst = 0;
  for (int32_t r = 0; r < rows.row_count(); ++r) {
    const auto equations = oracle::normal_equations(oracle::row_of(rows, r), side, settings_of(options), prior.mean(r));
    worst = std::max(worst, oracle::backward_error(equations, solved.row(r)));
  }
  return worst;
}

}  // namespace bouquet::conformance
