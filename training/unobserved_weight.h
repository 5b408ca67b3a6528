// The weight of what did not happen, where nobody says it.
#pragma once

#include "engine/interactions.h"

namespace bouquet::training {

// How much all unobserved pairs weigh together, over all observed ones: measured on sparse check-ins and on dense groceries
// (docs/evaluation.md).
inline constexpr double kUnobservedBalance = 60;

// alpha0 such that alpha0 |U| |I| = kUnobservedBalance * sum of the confidences. A fixed alpha0 that suits sparse data lets dense data
// overfit, and the other way round; this one does not change when all confidences or the catalog grow. At most 10.
double balanced_unobserved_weight(const SparseRows& by_customer);

}  // namespace bouquet::training
