// Small data for the training tests: random histories with the edges in fixed places.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/interactions.h"

namespace bouquet::conformance {

struct ShopShape {
  int32_t customers = 120;
  int32_t items = 90;
  uint64_t seed = 7;
  bool with_targets = false;  // a fifth are returns (target 0), others between 0.5 and 1.5
};

// Customer 0 and item 0 have no pair, customer 1 has one, customer 2 has every item but item 0; the others have 2 to 60.
inline Interactions small_shop(const ShopShape& shape) {
  std::mt19937_64 random(shape.seed);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  SparseRows rows;
  rows.column_count = shape.items;
  for (int32_t u = 0; u < shape.customers; ++u) {
    double share = uniform(0.02, 0.6);
    if (u == 0 || u == 1) share = 0;
    if (u == 2) share = 1;
    for (int32_t i = 1; i < shape.items; ++i) {
      if (!(u == 1 && i == shape.items / 2) && uniform(0, 1) >= share) continue;
      rows.columns.push_back(i);
      rows.confidences.push_back(static_cast<float>(uniform(0.1, 8)));
      if (shape.with_targets) rows.targets.push_back(uniform(0, 1) < 0.2 ? 0.0f : static_cast<float>(uniform(0.5, 1.5)));
    }
    rows.offsets.push_back(static_cast<int64_t>(rows.columns.size()));
  }
  return Interactions::from_customers(std::move(rows));
}

}  // namespace bouquet::conformance
