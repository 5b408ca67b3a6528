// A generated shop with two tastes: customers of either mostly buy items of their own half, day after day.
#pragma once

#include <string>
#include <vector>

#include "engine/counter_random.h"
#include "tests/training/small_shop.h"

namespace bouquet::training {

inline std::vector<Bought> planted_rows(int customers = 60, int items = 24, int days = 60, uint64_t seed = 1) {
  std::vector<Bought> rows;
  uint64_t position = 0;
  const auto below = [&](int bound) { return static_cast<int>(random_unit(seed, position++) * bound); };
  for (int c = 0; c < customers; ++c)
    for (int day = c % 3; day < days; day += 3) {
      const bool stray = below(10) == 0;
      const int half = (c % 2) ^ (stray ? 1 : 0), item = half * (items / 2) + std::min(below(items / 2), below(items / 2));
      rows.push_back({"c" + std::to_string(c), "i" + std::to_string(item), day, 1.0f + static_cast<float>(below(3)), c * days + day});
      rows.push_back({"c" + std::to_string(c), "i" + std::to_string(half * (items / 2) + below(items / 2)), day, 1, c * days + day});
    }
  return rows;
}

}  // namespace bouquet::training
