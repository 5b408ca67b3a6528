// Training data with rows of given lengths: the edges of what the device's solvers tell apart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "engine/interactions.h"
#include "engine/training_options.h"

namespace bouquet::cuda {

// ThreadSanitizer makes barriers dear: there the longest tests take fewer cases.
#if defined(EMULATION_TSAN)
inline constexpr bool kSlowEmulation = true;
#else
inline constexpr bool kSlowEmulation = false;
#endif

// For what depends on no more than the dimension.
inline TrainingOptions options_of_dimension(int32_t d) {
  TrainingOptions options;
  options.dimension = d;
  options.regularization = 0.5;
  return options;
}

// Customer u has lengths[u] of the items, drawn at random, with confidences from 0.1 to 8; targets as in conformance/small_shop.h.
inline Interactions shaped_rows(const std::vector<int32_t>& lengths, int32_t items, bool with_targets, uint64_t seed = 3) {
  std::mt19937_64 random(seed);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  SparseRows rows;
  rows.column_count = items;
  std::vector<int32_t> all(static_cast<size_t>(items));
  std::iota(all.begin(), all.end(), 0);
  for (const int32_t length : lengths) {
    std::vector<int32_t> columns;
    std::ranges::sample(all, std::back_inserter(columns), length, random);
    for (const int32_t i : columns) {
      rows.columns.push_back(i);
      rows.confidences.push_back(static_cast<float>(uniform(0.1, 8)));
      if (with_targets) rows.targets.push_back(uniform(0, 1) < 0.2 ? 0.0f : static_cast<float>(uniform(0.5, 1.5)));
    }
    rows.offsets.push_back(static_cast<int64_t>(rows.columns.size()));
  }
  return Interactions::from_customers(std::move(rows));
}

}  // namespace bouquet::cuda
