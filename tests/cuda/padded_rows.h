// Random rows as the device keeps them: row_stride(d) floats apart, zero past d.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "cuda/solve_rules.h"

namespace bouquet::cuda {

inline std::vector<float> random_rows(int64_t rows, int32_t d, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(rows * row_stride(d)));
  for (int64_t r = 0; r < rows; ++r)
    for (int32_t j = 0; j < d; ++j) values[static_cast<size_t>(r * row_stride(d) + j)] = normal(random);
  return values;
}

}  // namespace bouquet::cuda
