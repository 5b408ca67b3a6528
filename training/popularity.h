// How many customers consumed each item: what the baselines recommend, and the yardstick of a model's popularity bias.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "training/test_set.h"

namespace bouquet::training {

struct Popularity {
  std::vector<int32_t> item_customers;  // [items] customers with a consumed entry
  std::vector<int32_t> order;           // [items] item rows, most customers first, equal counts by lower row
  std::vector<float> percentile;        // [items] in (0, 1): share of items that are less popular, ties shared evenly

  static Popularity of(std::vector<int32_t> item_customers);
};

// [item_count] in how many rows each item stands as consumed.
std::vector<int32_t> count_item_customers(const HistoriesView& histories, int32_t item_count);

}  // namespace bouquet::training
