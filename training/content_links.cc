#include "training/content_links.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "training/unit_rows.h"

namespace bouquet::training {
namespace {

struct Link {
  int32_t item;  // with events
  float likeness;
};

std::vector<int32_t> items_without_events(const SparseRows& by_item) {
  std::vector<int32_t> out;
  for (int32_t i = 0; i < by_item.row_count(); ++i)
    if (by_item.row_length(i) == 0) out.push_back(i);
  return out;
}

// The most alike items with events. `sums` is [items] of zeros, and is again afterwards.
std::vector<Link> most_alike(const UnitRows& rows, const SparseRows& by_item, int32_t cold, std::vector<double>& sums) {
  std::vector<Link> links;
  for (const UnitRows::Entry& own : rows.of_item(cold))
    for (const UnitRows::Entry& e : rows.of_column(static_cast<size_t>(own.at)))
      sums[static_cast<size_t>(e.at)] += double{own.value} * double{e.value};
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto likeness = static_cast<float>(sums[i]);
    sums[i] = 0;
    if (likeness > 0 && by_item.row_length(static_cast<int64_t>(i)) > 0) links.push_back({static_cast<int32_t>(i), likeness});
  }
  const size_t kept = std::min(links.size(), kLinksPerItem);
  std::partial_sort(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(kept), links.end(),
                    [](const Link& a, const Link& b) { return a.likeness > b.likeness || (a.likeness == b.likeness && a.item < b.item); });
  links.resize(kept);
  return links;
}

// weight² times the covariance of the vectors of `items`.
std::vector<float> spread_of(const Model& model, const std::vector<int32_t>& items, double weight) {
  const auto d = static_cast<size_t>(model.dimension);
  std::vector<double> mean(d, 0), centred(d), sums(d * d, 0);
  const auto count = static_cast<double>(items.size());
  for (const int32_t i : items)
    for (size_t j = 0; j < d; ++j) mean[j] += double{model.item_matrix().row(i)[j]} / count;
  for (const int32_t i : items) {
    const auto vector = model.item_matrix().row(i);
    for (size_t j = 0; j < d; ++j) centred[j] = double{vector[j]} - mean[j];
    for (size_t r = 0; r < d; ++r)
      for (size_t c = 0; c < d; ++c) sums[r * d + c] += centred[r] * centred[c];
  }
  std::vector<float> out(d * d);
  for (size_t e = 0; e < out.size(); ++e) out[e] = static_cast<float>(weight * weight * sums[e] / count);
  return out;
}

}  // namespace

int64_t content_link_work(const AttributeRows& attributes, const SparseRows& by_item) {
  std::vector<int64_t> rows_of(static_cast<size_t>(attributes.column_count), 0), cold_of(rows_of);
  int64_t cold_items = 0;
  for (int64_t r = 0; r < attributes.rows(); ++r) {
    const bool cold = by_item.row_length(r) == 0;
    cold_items += cold ? 1 : 0;
    for (const int32_t c : attributes.row_columns(r)) {
      ++rows_of[static_cast<size_t>(c)];
      if (cold) ++cold_of[static_cast<size_t>(c)];
    }
  }
  int64_t work = cold_items * attributes.rows() * attributes.dense_count;
  for (size_t c = 0; c < rows_of.size(); ++c) work += rows_of[c] * cold_of[c];
  return work;
}

ContentLinks link_content(const AttributeRows& attributes, const SparseRows& by_item, const Model& model, double weight, int32_t threads) {
  if (attributes.column_count == 0 || weight == 0) return {};
  const std::vector<int32_t> cold = items_without_events(by_item);
  if (cold.empty()) return {};
  const UnitRows rows(attributes);
  std::vector<std::vector<Link>> found(cold.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    std::vector<double> sums(rows.items(), 0);
    for (size_t i = next++; i < cold.size(); i = next++) found[i] = most_alike(rows, by_item, cold[i], sums);
  };
  {
    std::vector<std::jthread> others;
    for (int32_t t = 1; t < threads; ++t) others.emplace_back(work);
    work();
  }
  // By the item that leads there; `cold` rises, so each item's links do.
  std::vector<int32_t> linked;
  std::vector<int64_t> offsets(static_cast<size_t>(by_item.row_count()) + 1, 0);
  for (size_t i = 0; i < cold.size(); ++i) {
    if (!found[i].empty()) linked.push_back(cold[i]);
    for (const Link& link : found[i]) ++offsets[static_cast<size_t>(link.item) + 1];
  }
  if (linked.empty()) return {};
  for (size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  std::vector<int64_t> at(offsets.begin(), offsets.end() - 1);
  std::vector<int32_t> items(static_cast<size_t>(offsets.back()));
  std::vector<float> likeness(items.size());
  for (size_t i = 0; i < cold.size(); ++i)
    for (const Link& link : found[i]) {
      const auto e = static_cast<size_t>(at[static_cast<size_t>(link.item)]++);
      items[e] = cold[i];
      likeness[e] = link.likeness;
    }
  return {.offsets = std::move(offsets),
          .items = std::move(items),
          .likeness = std::move(likeness),
          .spread = spread_of(model, linked, weight)};
}

}  // namespace bouquet::training
