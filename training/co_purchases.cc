#include "training/co_purchases.h"

#include <algorithm>
#include <vector>

namespace bouquet::training {
namespace {

struct Lists {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> values;

  std::span<const int32_t> at(int32_t r) const {
    const auto from = static_cast<size_t>(offsets[static_cast<size_t>(r)]), to = static_cast<size_t>(offsets[static_cast<size_t>(r) + 1]);
    return std::span(values).subspan(from, to - from);
  }
  int32_t size() const { return static_cast<int32_t>(offsets.size() - 1); }
};

// The item row of event e if it counts, else kNone.
int32_t counted_item(const Dataset& dataset, std::span<const int32_t> item_rows, size_t e) {
  const EventLog& log = dataset.events;
  const EventType& type = dataset.rules.types[log.types[e]];
  if (log.baskets[e] == kNone || !type.consumes || type.returns || log.values[e] < 0) return kNone;
  return item_rows[static_cast<size_t>(log.items[e])];
}

// Item rows by basket, with repeats.
Lists group_by_basket(const Dataset& dataset, std::span<const int32_t> item_rows) {
  Lists out;
  out.offsets.assign(static_cast<size_t>(dataset.basket_count) + 1, 0);
  const EventLog& log = dataset.events;
  const size_t count = log.customers.size();
  for (size_t e = 0; e < count; ++e)
    if (counted_item(dataset, item_rows, e) != kNone) ++out.offsets[static_cast<size_t>(log.baskets[e]) + 1];
  for (size_t b = 1; b < out.offsets.size(); ++b) out.offsets[b] += out.offsets[b - 1];
  out.values.resize(static_cast<size_t>(out.offsets.back()));
  std::vector<int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (size_t e = 0; e < count; ++e)
    if (const int32_t item = counted_item(dataset, item_rows, e); item != kNone)
      out.values[static_cast<size_t>(next[static_cast<size_t>(log.baskets[e])]++)] = item;
  return out;
}

// The distinct items of every basket that counts.
Lists distinct_baskets(Lists grouped) {
  Lists out;
  std::vector<int32_t> items;
  for (int32_t b = 0; b < grouped.size(); ++b) {
    const auto all = grouped.at(b);
    items.assign(all.begin(), all.end());
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    if (items.size() < 2 || items.size() > static_cast<size_t>(kMaxBasketItems)) continue;
    out.values.insert(out.values.end(), items.begin(), items.end());
    out.offsets.push_back(static_cast<int64_t>(out.values.size()));
  }
  return out;
}

Lists transposed(const Lists& rows, int32_t column_count) {
  Lists out;
  out.offsets.assign(static_cast<size_t>(column_count) + 1, 0);
  for (const int32_t c : rows.values) ++out.offsets[static_cast<size_t>(c) + 1];
  for (size_t c = 1; c < out.offsets.size(); ++c) out.offsets[c] += out.offsets[c - 1];
  out.values.resize(rows.values.size());
  std::vector<int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (int32_t r = 0; r < rows.size(); ++r)
    for (const int32_t c : rows.at(r)) out.values[static_cast<size_t>(next[static_cast<size_t>(c)]++)] = r;
  return out;
}

}  // namespace

CoPurchases count_co_purchases(const Dataset& dataset, std::span<const int32_t> item_rows, int32_t item_count) {
  CoPurchases out;
  if (!dataset.events.has_baskets()) return out;
  const Lists baskets = distinct_baskets(group_by_basket(dataset, item_rows));
  const Lists baskets_of = transposed(baskets, item_count);
  std::vector<int32_t> item_baskets, partners, counts;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> together(static_cast<size_t>(item_count), 0), touched;
  for (int32_t item = 0; item < item_count; ++item) {
    touched.clear();
    for (const int32_t b : baskets_of.at(item))
      for (const int32_t other : baskets.at(b))
        if (other != item && together[static_cast<size_t>(other)]++ == 0) touched.push_back(other);
    const auto kept = std::min(touched.size(), static_cast<size_t>(kMaxPartners));
    std::partial_sort(touched.begin(), touched.begin() + static_cast<std::ptrdiff_t>(kept), touched.end(), [&](int32_t a, int32_t b) {
      const int32_t count_a = together[static_cast<size_t>(a)], count_b = together[static_cast<size_t>(b)];
      return count_a != count_b ? count_a > count_b : a < b;
    });
    for (size_t i = 0; i < touched.size(); ++i) {
      int32_t& count = together[static_cast<size_t>(touched[i])];
      if (i < kept) {
        partners.push_back(touched[i]);
        counts.push_back(count);
      }
      count = 0;
    }
    item_baskets.push_back(static_cast<int32_t>(baskets_of.at(item).size()));
    offsets.push_back(static_cast<int64_t>(partners.size()));
  }
  out.basket_count = baskets.size();
  out.item_baskets = std::move(item_baskets);
  out.offsets = std::move(offsets);
  out.partners = std::move(partners);
  out.counts = std::move(counts);
  return out;
}

}  // namespace bouquet::training
