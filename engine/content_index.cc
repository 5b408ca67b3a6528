#include "engine/content_index.h"

#include <algorithm>
#include <cmath>

namespace bouquet {

std::vector<UnitEntry> unit_row(const AttributeRows& rows, int64_t r) {
  std::vector<UnitEntry> row;
  const auto dense = rows.dense_row(r);
  for (size_t f = 0; f < dense.size(); ++f)
    if (dense[f] != 0) row.push_back({static_cast<int32_t>(f), dense[f]});
  const auto columns = rows.row_columns(r);
  for (size_t k = 0; k < columns.size(); ++k) row.push_back({columns[k], rows.row_values(r)[k]});
  double square = 0;
  for (const UnitEntry& e : row) square += double{e.value} * double{e.value};
  for (UnitEntry& e : row) e.value = static_cast<float>(double{e.value} / std::sqrt(square));
  return row;
}

ContentIndex::ContentIndex(const AttributeRows& rows, const std::vector<uint8_t>& has_events)
    : items_(has_events.size()), of_column_(static_cast<size_t>(rows.column_count)) {
  for (int64_t r = 0; r < rows.rows(); ++r) {
    if (has_events[static_cast<size_t>(r)] == 0) continue;
    for (const UnitEntry& e : unit_row(rows, r)) of_column_[static_cast<size_t>(e.at)].push_back({static_cast<int32_t>(r), e.value});
  }
}

std::vector<ContentLink> ContentIndex::most_alike(const std::vector<UnitEntry>& row, std::vector<double>& sums) const {
  for (const UnitEntry& own : row)
    for (const UnitEntry& e : of_column_[static_cast<size_t>(own.at)])
      sums[static_cast<size_t>(e.at)] += double{own.value} * double{e.value};
  std::vector<ContentLink> links;
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto likeness = static_cast<float>(sums[i]);
    sums[i] = 0;
    if (likeness > 0) links.push_back({static_cast<int32_t>(i), likeness});
  }
  const size_t kept = std::min(links.size(), kLinksPerItem);
  std::partial_sort(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(kept), links.end(),
                    [](const auto& a, const auto& b) { return a.likeness > b.likeness || (a.likeness == b.likeness && a.item < b.item); });
  links.resize(kept);
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.item < b.item; });
  return links;
}

int64_t ContentIndex::work(const std::vector<UnitEntry>& row) const {
  auto steps = static_cast<int64_t>(items_);
  for (const UnitEntry& own : row) steps += static_cast<int64_t>(of_column_[static_cast<size_t>(own.at)].size());
  return steps;
}

}  // namespace bouquet
