// The ridge of one row's normal equations: lambda rho with rho = (n + alpha0 N)^nu, n the row's distinct pairs and N the rows of
// the fixed side in the training (docs/algorithms/ials.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/interactions.h"
#include "engine/training_options.h"

namespace bouquet {

struct RidgeRule {
  double unobserved_weight = 0;  // alpha0
  double regularization = 0;     // lambda
  double exponent = 0;           // nu
  int64_t fixed_count = 0;       // N: |I| when customers are solved, |U| when items are
  // s, of alpha0 what counts for a row without pairs in fold-in: its matrix is s alpha0 YᵀY + ridge I, so that its solution goes from that
  // of a row which could have had every pair and has none (1) to the prior mean (0: nothing has been seen of it yet).
  double empty_share = 1;

  double ridge(int64_t pairs) const {
    return regularization * std::pow(static_cast<double>(pairs) + unobserved_weight * static_cast<double>(fixed_count), exponent);
  }
  // With what fold-in solves a row in the place of ridge(): s alpha0 YᵀY + ridge I is s times alpha0 YᵀY + (ridge / s) I, which is a matrix
  // like any other row's. The factor of the row's own matrix is factor_scale() times that of this one.
  double solved_ridge(int64_t pairs) const { return pairs > 0 ? ridge(pairs) : ridge(0) / least_share(); }
  float factor_scale(int64_t pairs) const { return pairs > 0 ? 1.0f : static_cast<float>(std::sqrt(least_share())); }
  double least_share() const { return std::max(empty_share, 1e-9); }  // for 0: in float the solution is the prior mean then
};

// Of a training of which the fixed side has `fixed_count` rows.
inline RidgeRule ridge_rule_of(const TrainingOptions& options, int64_t fixed_count) {
  return {options.unobserved_weight, options.regularization, options.regularization_exponent, fixed_count};
}

// Of every row.
inline std::vector<double> ridges_of(const SparseRows& rows, const RidgeRule& rule) {
  std::vector<double> ridges(static_cast<size_t>(rows.row_count()));
  for (int32_t r = 0; r < rows.row_count(); ++r) ridges[static_cast<size_t>(r)] = rule.ridge(rows.row_length(r));
  return ridges;
}

}  // namespace bouquet
