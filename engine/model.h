// The mathematics of a trained recommender: what a backend needs to rank and to solve a profile again. No ids, no titles:
// those stand beside it in the artifact (artifact.h).
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/shared_array.h"
#include "engine/views.h"

namespace bouquet {

// The constants that fold-in takes from training, never from the present (docs/algorithms/ials.md).
struct ModelConstants {
  double unobserved_weight = 0;         // alpha0
  double regularization = 0;            // lambda
  double regularization_exponent = 0;   // nu: rho_u = (n_u + alpha0 * item_count)^nu
  int64_t training_item_count = 0;      // |I|
  int64_t training_customer_count = 0;  // |U|
  double empty_history_share = 1;       // of alpha0, what counts for a customer without events (ridge_rule.h), 0 to 1
};

// What attributes lead one to expect: a prior mean is a row of attributes times the map, plus the map's last row, the intercept.
struct AttributePrior {
  int32_t dense_count = 0;  // the first columns are dense (attribute_rows.h)
  SharedArray<float> map;   // [F + 1, d] row-major, or empty: the prior mean is zero
  // The sparse columns, ascending, that are 1 where an attribute is missing, or empty: not known. A row of which little is known has most
  // of them, and a backend may start from their sum; what a prior mean is does not depend on it.
  SharedArray<int32_t> missing_columns = {};

  // F; 0: there is no prior.
  int32_t column_count(int32_t dimension) const { return map.empty() ? 0 : static_cast<int32_t>(map.size() / dimension) - 1; }
};

struct Model {
  int32_t dimension = 0;            // d
  SharedArray<float> profiles;      // [customer_count, d] row-major
  SharedArray<float> item_vectors;  // [item_count, d] row-major
  SharedArray<float> item_gram;     // [d, d] row-major, symmetric: QᵀQ over the items of the training, without alpha0
  AttributePrior customer_prior;    // A
  AttributePrior item_prior;        // B
  ModelConstants constants;

  int32_t customer_count() const { return dimension == 0 ? 0 : static_cast<int32_t>(profiles.size() / dimension); }
  int32_t item_count() const { return dimension == 0 ? 0 : static_cast<int32_t>(item_vectors.size() / dimension); }
  MatrixView<const float> profile_matrix() const { return {profiles.data(), customer_count(), dimension}; }
  MatrixView<const float> item_matrix() const { return {item_vectors.data(), item_count(), dimension}; }
};

inline constexpr int32_t kMaxDimension = 1024;

// Whether shapes fit each other, d is in [1, 1024], and every number is finite. Errors: DataLoss, naming the array and row.
absl::Status validate(const Model& model);

}  // namespace bouquet
