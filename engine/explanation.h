// Why an item was offered: the score q·p taken apart, exactly, into what each past event, each attribute and the intercept add to it.
//
// The profile solves W p = sum of c r q_j + ridge (sum of x_f a_f + a_0), so
//     q·p = sum over events of c_j r_j q·W⁻¹q_j  +  ridge sum over attributes of x_f q·W⁻¹a_f  +  ridge q·W⁻¹a_0
// (docs/algorithms/explanations.md). It is accounting, not a counterfactual: W depends on the whole history. Everything is in double; what
// rounding leaves between the sum and the score that ranked is a row of its own.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/model.h"
#include "engine/views.h"

namespace bouquet {

// One customer, as a Profiler solved them.
struct SolvedCustomer {
  std::span<const int32_t> items = {};  // the history; ascending, rows of the model
  std::span<const float> confidences = {};
  std::span<const float> targets = {};   // or empty: every target is 1
  AttributeRows attributes = {};         // one row, or no columns where the model has no customer prior
  std::span<const float> profile = {};   // [d]
  std::span<const float> cholesky = {};  // [d, d], lower triangle row-major of L with W = L Lᵀ (ProfileBatch)
};

struct AttributeContribution {
  int32_t column = 0;
  double value = 0;
};

// The rows of one score. Their sum (without what is labelled leave-one-out) is `score`.
struct Explanation {
  double score = 0;                               // q·p as score.h defines it
  std::vector<double> events;                     // of each pair of the history, in its order; 0 for a return (target 0)
  std::vector<AttributeContribution> attributes;  // of the columns that are not 0, ascending
  double intercept = 0;
  std::vector<double> content;  // of each item of the history, by the content path (content_blend.h); or empty
  double rest = 0;              // numerical: score minus all of the above
  // Of each pair with target 0: its position in the history, and score minus the score without it. Not part of the sum.
  std::vector<std::pair<size_t, double>> returns_leave_one_out;
};

// One explanation for each of `offered`, rows of model.item_vectors. The customer fits the model. Thread-safe.
std::vector<Explanation> explain(const Model& model, const SolvedCustomer& customer, std::span<const int32_t> offered);

// The same for directions in the place of item vectors: one explanation for each row of `directions`, whose score is its product with the
// profile.
std::vector<Explanation> explain(const Model& model, const SolvedCustomer& customer, MatrixView<const float> directions);

}  // namespace bouquet
