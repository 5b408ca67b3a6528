#include "cpu_fallback/prior_means.h"

#include <algorithm>

#include "cpu_fallback/attribute_kernels.h"
#include "cpu_fallback/panel_kernels.h"

namespace bouquet::cpu {

namespace {

// Up to so many rows are quicker one by one than as a tile of 16.
constexpr int64_t kFewRows = 4;

}  // namespace

PriorMap::PriorMap(int32_t column_count, int32_t dense_count, int32_t dimension)
    : table_(int64_t{column_count} + 1, dimension),
      dense_count_(dense_count),
      dense_panels_(make_floats(std::max(1, dense_count) * int64_t{padded(dimension)})) {}

void PriorMap::assign(MatrixView<const float> rows, std::span<const int32_t> missing_columns) {
  table_.assign(rows);
  if (dense_count_ > 0) pack_rows(table_, 0, dense_count_, dense_count_, dense_panels_.get());
  missing_columns_.assign(missing_columns.begin(), missing_columns.end());
  if (missing_columns.empty()) return;
  std::vector<double> sum(intercept(), intercept() + table_.stride());
  for (const int32_t column : missing_columns)
    for (int64_t j = 0; j < table_.stride(); ++j) sum[static_cast<size_t>(j)] += table_.row(column)[j];
  nothing_known_ = make_floats(table_.stride());
  std::ranges::copy(sum, nothing_known_.get());
}

PriorMeans::PriorMeans(const PriorMap& map, const SolveSource* source) : map_(map), source_(source) {
  if (map.table().rows() == 0) return;
  means_ = FactorTable(kBatch, map.table().dimension());
  dense_ = make_floats(std::max(1, map.dense_count()) * int64_t{kPanel});
  difference_columns_.reserve(map.missing_columns().size());
  difference_values_.reserve(map.missing_columns().size());
  if (source == nullptr) return;
  rotated_ = FactorTable(kBatch, map.table().dimension());
  panel_ = make_floats(int64_t{source->stride()} * kPanel);
}

void PriorMeans::compute(const AttributeRows& rows, int64_t first, int64_t count) {
  if (!has_prior()) return;
  const int64_t n = means_.stride();
  if (count <= kFewRows)
    for (int64_t i = 0; i < count; ++i)
      multiply_row(map_.dense_count(), rows.dense_row(first + i).data(), map_.dense_panels(), n / kPanel, means_.row(i));
  else
    multiply_dense(rows, first, count);
  for (int64_t i = 0; i < count; ++i) add_sparse(rows.row_columns(first + i), rows.row_values(first + i), means_.row(i));
  if (source_ != nullptr) source_->rotate(means_, 0, count, rotated_, 0, panel_.get());
}

void PriorMeans::add_sparse(std::span<const int32_t> columns, std::span<const float> values, float* mean) {
  const float* start = map_.intercept();
  if (differ_from_nothing_known(columns, values)) {
    start = map_.nothing_known();
    columns = difference_columns_;
    values = difference_values_;
  }
  for (int64_t j = 0; j < means_.stride(); ++j) mean[j] += start[j];
  add_weighted_rows(map_.table(), columns, values, mean);
}

bool PriorMeans::differ_from_nothing_known(std::span<const int32_t> columns, std::span<const float> values) {
  const std::span<const int32_t> missing = map_.missing_columns();
  // Each missing column that the row lacks is a difference.
  if (missing.empty() || missing.size() >= 2 * columns.size()) return false;
  difference_columns_.clear();
  difference_values_.clear();
  const auto add = [&](int32_t column, float value) {
    difference_columns_.push_back(column);
    difference_values_.push_back(value);
  };
  size_t m = 0;
  for (size_t k = 0; k < columns.size(); ++k) {
    for (; m < missing.size() && missing[m] < columns[k]; ++m) add(missing[m], -1);
    if (m == missing.size() || missing[m] != columns[k])
      add(columns[k], values[k]);
    else if (++m; values[k] != 1)
      add(columns[k], values[k] - 1);
    if (difference_columns_.size() >= columns.size()) return false;
  }
  if (difference_columns_.size() + missing.size() - m >= columns.size()) return false;
  for (; m < missing.size(); ++m) add(missing[m], -1);
  return true;
}

void PriorMeans::multiply_dense(const AttributeRows& rows, int64_t first, int64_t count) {
  const int64_t dense = map_.dense_count();
  for (int64_t i = 0; i < count; ++i)
    for (int64_t f = 0; f < dense; ++f) dense_[static_cast<size_t>(f * kPanel + i)] = rows.dense_row(first + i)[static_cast<size_t>(f)];
  alignas(64) float block[kBlockFloats];
  for (int64_t p = 0; p < means_.stride(); p += kPanel) {
    multiply_panels(dense, dense_.get(), map_.dense_panels() + p * dense, block);
    for (int64_t i = 0; i < count; ++i) std::copy_n(block + i * kPanel, kPanel, means_.row(i) + p);
  }
}

}  // namespace bouquet::cpu
