#include "cuda/sparse_segments.h"

#include <algorithm>

namespace bouquet::cuda {

SparseSegments plan_segments(const AttributeRows& rows) {
  SparseSegments plan;
  const auto columns = static_cast<size_t>(rows.column_count - rows.dense_count);
  plan.begins.assign(columns + 1, 0);
  for (const int32_t c : rows.columns) ++plan.begins[static_cast<size_t>(c - rows.dense_count) + 1];
  for (size_t c = 0; c < columns; ++c) {
    plan.begins[c + 1] += plan.begins[c];
    const int64_t end = plan.begins[c + 1];
    const auto column = static_cast<int32_t>(c);
    const int64_t parts = std::max<int64_t>(1, (end - plan.begins[c] + kSegmentEntries - 1) / kSegmentEntries);
    if (parts > 1) plan.splits.push_back({column, plan.slots, static_cast<int32_t>(parts)});
    for (int64_t p = 0; p < parts; ++p) {
      const int64_t begin = plan.begins[c] + p * kSegmentEntries;
      plan.segments.push_back({begin, static_cast<int32_t>(std::min(kSegmentEntries, end - begin)), column, parts > 1 ? plan.slots++ : -1});
    }
  }
  return plan;
}

TurnedEntries turn_entries(const AttributeRows& rows, std::span<const double> weights, const SparseSegments& plan) {
  TurnedEntries turned{std::vector<int32_t>(rows.columns.size()), std::vector<double>(rows.columns.size())};
  std::vector<int64_t> at(plan.begins.begin(), plan.begins.end() - 1);
  for (int64_t r = 0; r < rows.rows(); ++r) {
    const auto columns = rows.row_columns(r);
    const auto values = rows.row_values(r);
    for (size_t k = 0; k < columns.size(); ++k) {
      const auto to = static_cast<size_t>(at[static_cast<size_t>(columns[k] - rows.dense_count)]++);
      turned.rows[to] = static_cast<int32_t>(r);
      turned.values[to] = weights[static_cast<size_t>(r)] * double{values[k]};
    }
  }
  return turned;
}

}  // namespace bouquet::cuda
