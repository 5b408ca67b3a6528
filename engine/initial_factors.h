// The factors a training starts from: a pure function of seed, side, row and column, the same for every backend, thread count
// and partition.
#pragma once

#include <cstdint>

#include "engine/views.h"

namespace bouquet {

enum class FactorSide : uint64_t { kCustomers = 0, kItems = 1 };

// Fills rows [first_row, first_row + factors.rows) of one side with normal numbers of standard deviation 0.1 / sqrt(d)
// (Rendle et al. 2021, "Revisiting the performance of iALS", section 4).
void fill_initial_factors(uint64_t seed, FactorSide side, int64_t first_row, MatrixView<float> factors);

}  // namespace bouquet
