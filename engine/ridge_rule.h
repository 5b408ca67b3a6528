// The ridge of one row's normal equations: lambda rho with rho = (n + alpha0 N)^nu, n the row's distinct pairs and N the rows of
// the fixed side in the training (docs/algorithms/ials.md).
#pragma once

#include <cmath>
#include <cstdint>

namespace bouquet {

struct RidgeRule {
  double unobserved_weight = 0;  // alpha0
  double regularization = 0;     // lambda
  double exponent = 0;           // nu
  int64_t fixed_count = 0;       // N: |I| when customers are solved, |U| when items are

  double ridge(int64_t pairs) const {
    return regularization * std::pow(static_cast<double>(pairs) + unobserved_weight * static_cast<double>(fixed_count), exponent);
  }
};

}  // namespace bouquet
