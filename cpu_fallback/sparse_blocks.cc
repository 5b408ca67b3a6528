#include "cpu_fallback/sparse_blocks.h"

#include <algorithm>

#include "cpu_fallback/attribute_kernels.h"

namespace bouquet::cpu {
namespace {

constexpr size_t kFloatTerms = 256;  // that are added in float

}  // namespace

SparseBlocks::SparseBlocks(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool)
    : columns_(rows.column_count - rows.dense_count) {
  if (columns_ == 0) return;
  blocks_.resize(static_cast<size_t>((rows.rows() + kRows - 1) / kRows));
  pool.run(block_count(), [&](int, int64_t b) {
    Block& block = blocks_[static_cast<size_t>(b)];
    const int64_t first = b * kRows;
    const int64_t end = std::min(rows.rows(), first + kRows);
    std::vector<int64_t> at(static_cast<size_t>(columns_) + 1);  // how many entries stand before a column's next one
    for (int64_t r = first; r < end; ++r)
      for (const int32_t c : rows.row_columns(r)) ++at[static_cast<size_t>(c - rows.dense_count) + 1];
    block.begins.push_back(0);
    for (size_t c = 0; c < static_cast<size_t>(columns_); ++c) {
      if (at[c + 1] > 0) {
        block.columns.push_back(static_cast<int32_t>(c));
        block.begins.push_back(block.begins.back() + at[c + 1]);
      }
      at[c + 1] += at[c];
    }
    block.rows.resize(static_cast<size_t>(block.begins.back()));
    block.values.resize(block.rows.size());
    for (int64_t r = first; r < end; ++r) {
      const auto columns = rows.row_columns(r);
      const auto values = rows.row_values(r);
      for (size_t k = 0; k < columns.size(); ++k) {
        const auto to = static_cast<size_t>(at[static_cast<size_t>(columns[k] - rows.dense_count)]++);
        block.rows[to] = static_cast<uint16_t>(r - first);
        block.values[to] = static_cast<float>(weights[static_cast<size_t>(r)] * double{values[k]});
      }
    }
  });
}

std::vector<SparseBlocks::Segment> SparseBlocks::segments(int64_t b, int64_t first, int64_t end) const {
  const Block& block = blocks_[static_cast<size_t>(b)];
  std::vector<Segment> found;
  for (auto at = static_cast<size_t>(std::ranges::lower_bound(block.columns, first) - block.columns.begin());
       at < block.columns.size() && block.columns[at] < end; ++at) {
    const auto begin = static_cast<size_t>(block.begins[at]);
    const size_t count = static_cast<size_t>(block.begins[at + 1]) - begin;
    found.push_back({block.columns[at], std::span(block.rows).subspan(begin, count), std::span(block.values).subspan(begin, count)});
  }
  return found;
}

void SparseBlocks::add_panel(const Block& block, const FactorTable& table, int64_t first_row, int64_t panel, std::span<double> sums) const {
  alignas(64) float sum[kPanel];
  for (size_t at = 0; at < block.columns.size(); ++at) {
    const auto begin = static_cast<size_t>(block.begins[at]);
    const auto end = static_cast<size_t>(block.begins[at + 1]);
    double* to = sums.data() + int64_t{block.columns[at]} * table.stride() + panel * kPanel;
    for (size_t k = begin; k < end; k += kFloatTerms) {
      const size_t count = std::min(kFloatTerms, end - k);
      sum_panel(table, first_row, std::span(block.rows).subspan(k, count), std::span(block.values).subspan(k, count), panel * kPanel, sum);
      for (int j = 0; j < kPanel; ++j) to[j] += static_cast<double>(sum[j]);
    }
  }
}

void SparseBlocks::add_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const {
  pool.run(table.stride() / kPanel, [&](int, int64_t panel) {
    for (int64_t b = 0; b < block_count(); ++b) add_panel(blocks_[static_cast<size_t>(b)], table, b * kRows, panel, sums);
  });
}

}  // namespace bouquet::cpu
