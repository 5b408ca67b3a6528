#include "training/unobserved_weight.h"

#include <algorithm>

namespace bouquet::training {

double balanced_unobserved_weight(const SparseRows& by_customer) {
  double sum = 0;
  for (const float c : by_customer.confidences) sum += static_cast<double>(c);
  const double pairs = static_cast<double>(by_customer.row_count()) * static_cast<double>(by_customer.column_count);
  return pairs > 0 ? std::min(kUnobservedBalance * sum / pairs, 10.0) : 0;
}

}  // namespace bouquet::training
