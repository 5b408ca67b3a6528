// How much of what each attribute seems to say of the vectors is more than chance, and how that holds the fit of the prior map down
// (docs/algorithms/attributes.md, relevance).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/attribute_schema.h"
#include "engine/views.h"

namespace bouquet::training {

struct AttributeRelevance {
  std::string name;
  double share = 0;  // 0: no more than chance would find; towards 1: all of it is more
};

// One side of a fit: its attributes, and the weights w of its rows in the attribute step.
struct WeightedRows {
  AttributeRows rows;
  std::span<const double> weights;  // [n], > 0
};

// Of each attribute of `schema`, whose columns `side.rows` has, in its order. With x and p less their weighted means and |.| the length in
// the metric of the vectors' own covariance, a tenth of its mean eigenvalue added to each,
//     T = sum over the attribute's columns f of |sum_r w_r x_rf p_r|² / s_f, over that of sum_r w_r² x_rf² |p_r|² / s_f,
// s_f = sum_r w_r x_rf². Where x says nothing of p, T is 1 on average, whatever the rows' variances (White 1980); share = max(0, 1 - 1/T),
// what the positive part of James and Stein's estimator keeps. `vectors` [n, d]. The same bits at any number
// of threads. Takes 8 F d bytes meanwhile.
std::vector<AttributeRelevance> attribute_relevance(const AttributeSchema& schema, const WeightedRows& side,
                                                    MatrixView<const float> vectors, int threads);

// The ridge of each column [F] that makes a column alone keep its attribute's share: s_f (1 - share) / share. Attributes that `relevance`
// does not name have none; shares below 1e-6 count as that.
std::vector<double> relevance_ridges(const AttributeSchema& schema, const WeightedRows& side,
                                     std::span<const AttributeRelevance> relevance);

}  // namespace bouquet::training
