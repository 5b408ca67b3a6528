// The Cholesky factor of a small matrix on the host, in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace bouquet {

// The lower triangle of `a` [d, d] row-major, which is symmetric, becomes L with a = L Lᵀ; what is above it stays. False: `a` is not
// positive definite, and some of it has been overwritten.
inline bool factorize_cholesky(std::span<double> a, size_t d) {
  for (size_t i = 0; i < d; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i * d + j];
      for (size_t k = 0; k < j; ++k) sum -= a[i * d + k] * a[j * d + k];
      if (i == j && !(sum > 0)) return false;
      a[i * d + j] = i == j ? std::sqrt(sum) : sum / a[j * d + j];
    }
  return true;
}

}  // namespace bouquet
