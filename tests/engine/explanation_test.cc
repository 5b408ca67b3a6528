#include "engine/explanation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/interactions.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/engine/small_matrices.h"
#include "tests/oracle/ials.h"

namespace bouquet {
namespace {

constexpr oracle::Settings kSettings{.alpha0 = 0.2, .lambda = 0.3, .nu = 0.5};
constexpr int32_t kDimension = 12;
constexpr int32_t kItems = 40;

// A customer with six events, one of them a return, and attributes; solved in double.
class Explained : public testing::Test {
 protected:
  Explained() {
    model_.dimension = kDimension;
    model_.item_vectors = random_floats(kItems * kDimension, 1);
    attributes_ = conformance::random_attributes(3, {.dense = 2, .sparse = 10});
    model_.customer_prior = {2, random_floats(13 * kDimension, 2)};
    model_.constants = {kSettings.alpha0, kSettings.lambda, kSettings.nu, kItems, 100};
    row_attributes_ = conformance::row_alone(attributes_, 2);
    solve();
  }

  oracle::NormalEquations equations(size_t without = 99) const {
    std::vector<int32_t> items;
    std::vector<float> confidences, targets;
    for (size_t k = 0; k < items_.size(); ++k) {
      if (k == without) continue;
      items.push_back(items_[k]);
      confidences.push_back(confidences_[k]);
      targets.push_back(targets_[k]);
    }
    const MatrixView<const float> map{model_.customer_prior.map.data(), 13, kDimension};
    const std::vector<double> mean = oracle::prior_mean(row_attributes_.rows(), 0, map);
    oracle::NormalEquations e =
        oracle::normal_equations({items, confidences, targets}, oracle::FixedSide(model_.item_matrix()), kSettings, mean);
    // rho counts the pairs; leave-one-out keeps it as it was.
    const double kept = ridge(items_.size());
    const double counted = ridge(items.size());
    for (size_t i = 0; i < kDimension; ++i) {
      e.matrix[i * kDimension + i] += kept - counted;
      e.right[i] += (kept - counted) * mean[i];
    }
    return e;
  }
  static double ridge(size_t pairs) {
    return kSettings.lambda * std::pow(static_cast<double>(pairs) + kSettings.alpha0 * kItems, kSettings.nu);
  }

  void solve() {
    const auto e = equations();
    const std::vector<double> p = oracle::solve(e);
    profile_.assign(p.begin(), p.end());
    cholesky_ = cholesky(e.matrix, kDimension);
  }

  SolvedCustomer customer() const { return {items_, confidences_, targets_, row_attributes_.rows(), profile_, cholesky_}; }

  // item · W⁻¹ vector, in double.
  double between(int32_t item, std::span<const float> vector) const {
    auto e = equations();
    e.right.assign(vector.begin(), vector.end());
    const std::vector<double> x = oracle::solve(e);
    double sum = 0;
    for (size_t j = 0; j < kDimension; ++j) sum += x[j] * double{model_.item_matrix().row(item)[j]};
    return sum;
  }

  Model model_;
  AttributeTable attributes_, row_attributes_;
  std::vector<int32_t> items_{3, 7, 11, 20, 29, 35};
  std::vector<float> confidences_{1, 2.5f, 0.7f, 1, 3, 1.2f};
  std::vector<float> targets_{1, 1, 0, 1.5f, 1, 1};
  std::vector<float> profile_, cholesky_;
  const std::vector<int32_t> offered_{0, 5, 39};
};

TEST_F(Explained, EveryRowIsTheOraclesAndTheyAddUpToTheScore) {
  const std::vector<Explanation> all = explain(model_, customer(), offered_);
  ASSERT_EQ(all.size(), offered_.size());
  for (size_t k = 0; k < all.size(); ++k) {
    const Explanation& e = all[k];
    double sum = e.intercept + e.rest, size = std::abs(e.intercept);
    ASSERT_EQ(e.events.size(), items_.size());
    for (size_t j = 0; j < items_.size(); ++j) {
      const double expected = double{confidences_[j]} * double{targets_[j]} * between(offered_[k], model_.item_matrix().row(items_[j]));
      EXPECT_NEAR(e.events[j], expected, 1e-5) << "event " << j;
      sum += e.events[j];
      size += std::abs(e.events[j]);
    }
    const std::vector<double> x = oracle::attributes_of(row_attributes_.rows(), 0);
    std::vector<double> seen(x.size());
    for (const AttributeContribution& a : e.attributes) seen[static_cast<size_t>(a.column)] = a.value;
    seen.back() = e.intercept;
    for (size_t f = 0; f < x.size(); ++f) {
      const std::span map_row(model_.customer_prior.map.data() + f * kDimension, kDimension);
      EXPECT_NEAR(seen[f], ridge(items_.size()) * x[f] * between(offered_[k], map_row), 1e-5) << "column " << f;
    }
    for (const AttributeContribution& a : e.attributes) {
      sum += a.value;
      size += std::abs(a.value);
    }
    EXPECT_DOUBLE_EQ(sum, e.score);
    EXPECT_LE(std::abs(e.rest), 1e-4 * size);
  }
}

TEST_F(Explained, AReturnIsShownByLeavingItOut) {
  const std::vector<Explanation> all = explain(model_, customer(), offered_);
  const std::vector<double> without = oracle::solve(equations(2));
  for (size_t k = 0; k < all.size(); ++k) {
    ASSERT_EQ(all[k].returns_leave_one_out.size(), 1u);
    EXPECT_EQ(all[k].events[2], 0);
    double other = 0;
    for (size_t j = 0; j < kDimension; ++j) other += without[j] * double{model_.item_matrix().row(offered_[k])[j]};
    EXPECT_EQ(all[k].returns_leave_one_out[0].first, 2u);
    EXPECT_NEAR(all[k].returns_leave_one_out[0].second, all[k].score - other, 1e-5);
  }
}

TEST_F(Explained, WithoutAHistoryTheAttributesAreAll) {
  items_.clear();
  confidences_.clear();
  targets_.clear();
  solve();
  for (const Explanation& e : explain(model_, customer(), offered_)) {
    double sum = e.intercept;
    for (const AttributeContribution& a : e.attributes) sum += a.value;
    EXPECT_NEAR(sum, e.score, 1e-5);
  }
}

}  // namespace
}  // namespace bouquet
