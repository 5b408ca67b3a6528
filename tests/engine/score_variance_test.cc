#include "engine/score_variance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/engine/small_matrices.h"
#include "tests/oracle/ials.h"

namespace bouquet {
namespace {

constexpr size_t kDimension = 6;
constexpr int32_t kItems = 9;

// scale · XᵀX + ridge I of some vectors.
std::vector<double> matrix(const std::vector<float>& vectors, double scale, double ridge) {
  std::vector<double> out(kDimension * kDimension, 0);
  for (size_t r = 0; r < vectors.size() / kDimension; ++r)
    for (size_t i = 0; i < kDimension; ++i)
      for (size_t j = 0; j < kDimension; ++j)
        out[i * kDimension + j] += scale * double{vectors[r * kDimension + i]} * double{vectors[r * kDimension + j]};
  for (size_t i = 0; i < kDimension; ++i) out[i * kDimension + i] += ridge;
  return out;
}

// The inverse, column by column, in double.
std::vector<double> inverse(const std::vector<double>& a) {
  std::vector<double> out(kDimension * kDimension);
  for (size_t j = 0; j < kDimension; ++j) {
    oracle::NormalEquations e{.matrix = a, .right = std::vector<double>(kDimension, 0), .right_scale = 1};
    e.right[j] = 1;
    const std::vector<double> column = oracle::solve(e);
    for (size_t i = 0; i < kDimension; ++i) out[i * kDimension + j] = column[i];
  }
  return out;
}

double form(const std::vector<double>& a, std::span<const float> v) {
  double sum = 0;
  for (size_t i = 0; i < kDimension; ++i)
    for (size_t j = 0; j < kDimension; ++j) sum += double{v[i]} * a[i * kDimension + j] * double{v[j]};
  return sum;
}

double trace_of_product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < kDimension; ++i)
    for (size_t j = 0; j < kDimension; ++j) sum += a[i * kDimension + j] * b[j * kDimension + i];
  return sum;
}

// PᵀP is diagonal here, so that its eigenvectors are known: profiles along the axes, of length 1, 2, ...
class Scored : public testing::Test {
 protected:
  Scored() {
    model_.dimension = kDimension;
    model_.item_vectors = random_floats(kItems * kDimension, 1);
    model_.constants = {0.25, 0.5, 0.5, kItems, 40};
    std::vector<float> profiles(kDimension * kDimension, 0), basis(profiles);
    for (size_t j = 0; j < kDimension; ++j) {
      profiles[j * kDimension + j] = static_cast<float>(j + 1);
      basis[j * kDimension + j] = 1;
    }
    for (size_t j = 0; j < kDimension; ++j) basis.push_back(static_cast<float>((j + 1) * (j + 1)));
    model_.profiles = profiles;
    std::vector<float> certainties;
    for (int32_t i = 0; i + 1 < kItems; ++i) {  // the last item came later
      certainties.push_back(0.25f + 0.1f * static_cast<float>(i));
      certainties.push_back(0.5f + static_cast<float>(i));
    }
    uncertainty_ = {.noise_variance = 0.7, .basis = std::move(basis), .items = std::move(certainties)};
    w_ = matrix(random_floats(20 * kDimension, 2), 1, 0.4);
    cholesky_ = cholesky(w_, kDimension);
    profile_ = random_floats(kDimension, 3);
  }

  Model model_;
  Uncertainty uncertainty_;
  std::vector<double> w_;
  std::vector<float> cholesky_, profile_;
};

TEST_F(Scored, PartsAreTheMatrices) {
  const std::vector<int32_t> items{0, 3, kItems - 1};
  const auto parts = variance_parts(model_, uncertainty_, {profile_, cholesky_}, items);
  const std::vector<double> w_inverse = inverse(w_);
  for (size_t k = 0; k < items.size(); ++k) {
    const auto i = static_cast<size_t>(items[k]);
    const bool later = items[k] == kItems - 1;
    const double a = later ? 0.25 : 0.25 + 0.1 * static_cast<double>(i);
    const double ridge = later ? 0.5 * std::sqrt(0.25 * 40) : 0.5 + static_cast<double>(i);
    const std::vector<double> v_inverse = inverse(matrix({model_.profiles.begin(), model_.profiles.end()}, a, ridge));
    EXPECT_NEAR(parts[k].of_profile, form(w_inverse, model_.item_matrix().row(items[k])), 1e-5);
    EXPECT_NEAR(parts[k].of_item, form(v_inverse, profile_), 1e-5);
    EXPECT_NEAR(parts[k].of_both, trace_of_product(w_inverse, v_inverse), 1e-5);
    const double variance = 0.7 * (parts[k].of_profile + parts[k].of_item) + 0.49 * parts[k].of_both;
    EXPECT_NEAR(score_deviations(model_, uncertainty_, {profile_, cholesky_}, items)[k], std::sqrt(variance), 1e-9);
  }
}

TEST_F(Scored, DrawnProfilesHaveThePosteriorsMeanAndCovariance) {
  constexpr int kDraws = 40000;
  std::vector<double> mean(kDimension, 0), covariance(kDimension * kDimension, 0);
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const std::vector<float> drawn = drawn_profile({profile_, cholesky_}, 0.7, seed);
    for (size_t i = 0; i < kDimension; ++i) {
      mean[i] += double{drawn[i]} / kDraws;
      for (size_t j = 0; j < kDimension; ++j)
        covariance[i * kDimension + j] += (double{drawn[i]} - double{profile_[i]}) * (double{drawn[j]} - double{profile_[j]}) / kDraws;
    }
  }
  const std::vector<double> w_inverse = inverse(w_);
  for (size_t i = 0; i < kDimension; ++i) {
    EXPECT_NEAR(mean[i], double{profile_[i]}, 0.02);
    for (size_t j = 0; j < kDimension; ++j)
      EXPECT_NEAR(covariance[i * kDimension + j], 0.7 * w_inverse[i * kDimension + j],
                  0.04 * 0.7 * std::sqrt(w_inverse[i * kDimension + i] * w_inverse[j * kDimension + j]));
  }
  EXPECT_EQ(drawn_profile({profile_, cholesky_}, 0.7, 5), drawn_profile({profile_, cholesky_}, 0.7, 5));
  EXPECT_NE(drawn_profile({profile_, cholesky_}, 0.7, 5), drawn_profile({profile_, cholesky_}, 0.7, 6));
}

TEST_F(Scored, ConfidenceIsTheShareOfTheVarianceThatIsGone) {
  const std::vector<float> items = {model_.item_vectors.begin(), model_.item_vectors.end()};
  const std::vector<double> gram = matrix(items, 1, 0), empty = matrix(items, 0.25, 0.4);
  model_.item_gram = std::vector<float>(gram.begin(), gram.end());
  std::vector<double> solved = empty;
  const std::vector<double> seen = matrix(random_floats(3 * kDimension, 7), 2, 0);
  for (size_t e = 0; e < solved.size(); ++e) solved[e] += seen[e];
  const double expected = 1 - trace_of_product(inverse(solved), gram) / trace_of_product(inverse(empty), gram);
  EXPECT_GT(expected, 0.05);
  EXPECT_NEAR(profile_confidence(model_, cholesky(solved, kDimension), cholesky(empty, kDimension)), expected, 1e-5);
  EXPECT_NEAR(profile_confidence(model_, cholesky(empty, kDimension), cholesky(empty, kDimension)), 0, 1e-9);
}

TEST_F(Scored, TheEmptyMatrixCountsAllOfTheUnobservedWhateverShareFoldInTakes) {
  const std::vector<double> gram = matrix({model_.item_vectors.begin(), model_.item_vectors.end()}, 1, 0);
  model_.item_gram = std::vector<float>(gram.begin(), gram.end());
  model_.constants = {0.25, 0.5, 0.5, 16, 40, 0.1};
  const std::vector<double> expected = matrix({model_.item_vectors.begin(), model_.item_vectors.end()}, 0.25, 0.5 * std::sqrt(0.25 * 16));
  const auto factor = empty_cholesky_of(model_);
  ASSERT_TRUE(factor.ok());
  const std::vector<float> wanted = cholesky(expected, kDimension);
  for (size_t e = 0; e < wanted.size(); ++e) EXPECT_NEAR((*factor)[e], wanted[e], 1e-5);
}

TEST_F(Scored, WhatIsStoredIsChecked) {
  EXPECT_TRUE(validate(uncertainty_, model_).ok());
  Uncertainty wrong = uncertainty_;
  wrong.noise_variance = -1;
  EXPECT_EQ(validate(wrong, model_).code(), absl::StatusCode::kDataLoss);
  wrong = uncertainty_;
  std::vector<float> basis(wrong.basis.begin(), wrong.basis.end());
  basis.back() = -2;
  wrong.basis = basis;
  EXPECT_THAT(std::string(validate(wrong, model_).message()), testing::HasSubstr("eigenvalue below 0"));
  wrong = uncertainty_;
  wrong.items = std::vector<float>(2 * (kItems + 1), 1);
  EXPECT_EQ(validate(wrong, model_).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace bouquet
