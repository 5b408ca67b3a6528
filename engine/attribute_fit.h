// How prior maps are fitted (docs/algorithms/attributes.md, attribute step): the rules that every backend keeps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/errors.h"
#include "engine/training_options.h"

namespace bouquet {

inline constexpr int64_t kDirectAttributeColumns = 6000;  // up to this many the system is factorized: 288 MB in double
inline constexpr int kMostFitIterations = 300;            // of conjugate gradients, which solve the larger ones
inline constexpr double kFitTolerance = 1e-7;             // of their residual, relative to the right side
inline constexpr double kLeastFit = 1e-2;                 // of the same: what is taken if they do not get there

// Whether the epoch after `finished` ones starts with attribute steps.
inline bool has_attribute_step(const TrainingOptions& options, int32_t finished) {
  return finished >= options.attribute_warmup && (finished - options.attribute_warmup) % options.attribute_period == 0;
}

// The ridge of each of a prior map's `columns` columns, the intercept not among them: lambda_A and what is added to it (Interactions).
inline std::vector<double> column_ridges(int32_t columns, double lambda_a, const std::vector<double>& added) {
  std::vector<double> ridges(static_cast<size_t>(columns), lambda_a);
  for (size_t f = 0; f < added.size(); ++f) ridges[f] += added[f];
  return ridges;
}

// How far conjugate gradients have come, by the squared norms of the residuals and the right sides, column by column. A fit that is short
// of kFitTolerance when the iterations end is one all the same: each has lowered the objective, and the next step goes on from there.
inline bool fits(double squared_residual, double squared_right, double tolerance) {
  return squared_residual <= tolerance * tolerance * squared_right;
}
inline bool all_fit(const std::vector<double>& squared_residuals, const std::vector<double>& squared_rights, double tolerance) {
  for (size_t j = 0; j < squared_residuals.size(); ++j)
    if (!fits(squared_residuals[j], squared_rights[j], tolerance)) return false;
  return true;
}

// The two ways in which a fit fails. `side`: "customer" or "item".
inline absl::Status attributes_not_definite(const std::string& side) {
  return wrong_usage(side + " attributes: their Gram matrix is not positive definite; a larger --" + side +
                     "-attribute-regularization keeps it so");
}
inline absl::Status attributes_not_converged(const std::string& side, int iterations) {
  return wrong_usage(side + " attributes: conjugate gradients did not converge in " + std::to_string(iterations) +
                     " iterations; a larger --" + side + "-attribute-regularization makes it easier");
}

}  // namespace bouquet
