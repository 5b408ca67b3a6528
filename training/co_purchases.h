// Counts which items stand in one basket: the table behind cross-sell.
#pragma once

#include <cstdint>
#include <span>

#include "engine/artifact.h"
#include "training/dataset.h"

namespace bouquet::training {

inline constexpr int32_t kMaxPartners = 50;      // kept per item, the most frequent; equal counts by lower row
inline constexpr int32_t kMaxBasketItems = 100;  // a basket of more distinct items is a wholesale order or a mistake: skipped

// Over the events with a basket whose type consumes and that are no returns, of everybody, anonymous rows too. `item_rows` maps the
// data set's items to rows, kNone for items that are left out. Baskets of fewer than two distinct items do not count. Memory: two
// integers per distinct (basket, item) pair and the table. Data without baskets give a table without offsets.
CoPurchases count_co_purchases(const Dataset& dataset, std::span<const int32_t> item_rows, int32_t item_count);

}  // namespace bouquet::training
