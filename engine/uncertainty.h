// What a training leaves behind to say how sure a score is (docs/algorithms/uncertainty.md).
//
// The vector of item i has the posterior covariance sigma² V_i⁻¹. V_i is kept as a_i PᵀP + ridge_i I, P the profiles of the training: exact
// for an item without events (a = alpha0), otherwise its customers are taken to point where all customers do.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/model.h"
#include "engine/shared_array.h"

namespace bouquet {

struct Uncertainty {
  double noise_variance = 0;  // sigma², of a pair of confidence 1; 0: not known, and nothing can be said of scores
  SharedArray<float> basis;   // [d + 1, d]: the eigenvectors of PᵀP by rows, then its eigenvalues; or empty, as are `items`
  SharedArray<float> items;   // [n, 2]: a_i and ridge_i. Items behind the n-th came after the training and have no events in it

  bool known() const { return noise_variance > 0 && !basis.empty(); }
};

// Shapes, n at most the model's items, finite numbers, no negative eigenvalue, a or ridge. Errors: DataLoss.
absl::Status validate(const Uncertainty& uncertainty, const Model& model);

}  // namespace bouquet
