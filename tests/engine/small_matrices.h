// Numbers and factors that tests of small systems need.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace bouquet {

inline std::vector<float> random_floats(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 0.5f);
  std::vector<float> values(n);
  for (float& x : values) x = normal(random);
  return values;
}

// The lower triangle L of matrix = L Lᵀ, in double, then rounded as a Profiler gives it.
inline std::vector<float> cholesky(std::vector<double> a, size_t d) {
  for (size_t j = 0; j < d; ++j) {
    for (size_t k = 0; k < j; ++k)
      for (size_t i = j; i < d; ++i) a[i * d + j] -= a[i * d + k] * a[j * d + k];
    const double root = std::sqrt(a[j * d + j]);
    for (size_t i = j; i < d; ++i) a[i * d + j] /= root;
    for (size_t i = 0; i < j; ++i) a[i * d + j] = 0;
  }
  return {a.begin(), a.end()};
}

}  // namespace bouquet
