// How sure scores are: the posterior variance of q·p, and what is drawn from it (docs/algorithms/uncertainty.md).
//
//   Var(q_i·p) = sigma² (q_iᵀ W⁻¹ q_i + pᵀ V_i⁻¹ p) + sigma⁴ tr(W⁻¹ V_i⁻¹)
//
// W is the customer's matrix (ProfileBatch), V_i the item's (uncertainty.h). It is the variance of the score, not of what will be observed,
// within the model: vectors are taken to be independent and normal about their estimates. Everything here is thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "engine/uncertainty.h"

namespace bouquet {

// A customer as a Profiler solved them.
struct SolvedProfile {
  std::span<const float> profile;   // [d]
  std::span<const float> cholesky;  // [d, d], lower triangle row-major of L with W = L Lᵀ
};

// The three summands, sigma left out: Var = sigma² (of_profile + of_item) + sigma⁴ of_both.
struct VarianceParts {
  double of_profile = 0, of_item = 0, of_both = 0;

  double variance(double noise_variance) const { return noise_variance * (of_profile + of_item + noise_variance * of_both); }
};

// Of the scores of `items`, rows of the model. `uncertainty` has a basis. Takes d³/2 multiply-adds and d² for each item.
std::vector<VarianceParts> variance_parts(const Model& model, const Uncertainty& uncertainty, const SolvedProfile& customer,
                                          std::span<const int32_t> items);

// The posterior standard deviations of the scores of `items`. `uncertainty` is known().
std::vector<double> score_deviations(const Model& model, const Uncertainty& uncertainty, const SolvedProfile& customer,
                                     std::span<const int32_t> items);

// A profile drawn from the posterior: p + sigma L⁻ᵀ z, z standard normal by `seed` (Thompson sampling). The same arguments give the
// same bits.
std::vector<float> drawn_profile(const SolvedProfile& customer, double noise_variance, uint64_t seed);

// The Cholesky factor of W₀ = alpha0 QᵀQ + ridge I, the matrix of somebody who took nothing of all there was. Errors: Internal (it is not
// positive definite).
absl::StatusOr<std::vector<float>> empty_cholesky_of(const Model& model);

// Which share of the variance that W₀ leaves in the scores of all items of the training is gone, 0 to 1: 1 - tr(W⁻¹ QᵀQ) / tr(W₀⁻¹ QᵀQ).
double profile_confidence(const Model& model, std::span<const float> cholesky, std::span<const float> empty_cholesky);

}  // namespace bouquet
