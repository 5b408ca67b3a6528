#include "training/popularity.h"

#include <algorithm>
#include <numeric>

namespace bouquet::training {

std::vector<int32_t> count_item_customers(const HistoriesView& histories, int32_t item_count) {
  std::vector<int32_t> counts(static_cast<size_t>(item_count), 0);
  for (size_t i = 0; i < histories.items.size(); ++i)
    if (histories.consumed[i]) ++counts[static_cast<size_t>(histories.items[i])];
  return counts;
}

Popularity Popularity::of(std::vector<int32_t> item_customers) {
  Popularity out;
  const size_t n = item_customers.size();
  out.order.resize(n);
  std::iota(out.order.begin(), out.order.end(), 0);
  std::stable_sort(out.order.begin(), out.order.end(),
                   [&](int32_t a, int32_t b) { return item_customers[static_cast<size_t>(a)] > item_customers[static_cast<size_t>(b)]; });
  out.percentile.resize(n);
  const auto count_at = [&](size_t position) { return item_customers[static_cast<size_t>(out.order[position])]; };
  for (size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && count_at(end) == count_at(begin)) ++end;
    // Of the n items, n - end are less popular and the run [begin, end) shares its places.
    const double below = static_cast<double>(n - end) + static_cast<double>(end - begin) / 2;
    for (size_t i = begin; i < end; ++i)
      out.percentile[static_cast<size_t>(out.order[i])] = static_cast<float>(below / static_cast<double>(n));
  }
  out.item_customers = std::move(item_customers);
  return out;
}

}  // namespace bouquet::training
