#include "cpu_fallback/sparse_blocks.h"

#include <algorithm>
#include <utility>

#include "cpu_fallback/attribute_kernels.h"

namespace bouquet::cpu {
namespace {

constexpr size_t kFloatTerms = 256;  // that are added in float

}  // namespace

TurnedRows turn_rows(const AttributeRows& rows, int64_t first, int64_t end) {
  TurnedRows turned;
  const auto columns = static_cast<size_t>(rows.column_count - rows.dense_count);
  std::vector<int64_t> at(columns + 1);  // how many entries stand before a column's next one
  for (int64_t r = first; r < end; ++r)
    for (const int32_t c : rows.row_columns(r)) ++at[static_cast<size_t>(c - rows.dense_count) + 1];
  turned.begins.push_back(0);
  for (size_t c = 0; c < columns; ++c) {
    if (at[c + 1] > 0) {
      turned.columns.push_back(static_cast<int32_t>(c));
      turned.begins.push_back(turned.begins.back() + at[c + 1]);
    }
    at[c + 1] += at[c];
  }
  turned.rows.resize(static_cast<size_t>(turned.begins.back()));
  turned.entries.resize(turned.rows.size());
  for (int64_t r = first; r < end; ++r) {
    int64_t entry = rows.offsets[static_cast<size_t>(r)];
    for (const int32_t c : rows.row_columns(r)) {
      const auto to = static_cast<size_t>(at[static_cast<size_t>(c - rows.dense_count)]++);
      turned.rows[to] = static_cast<uint16_t>(r - first);
      turned.entries[to] = entry++;
    }
  }
  return turned;
}

SparseBlocks::SparseBlocks(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool)
    : columns_(rows.column_count - rows.dense_count) {
  if (columns_ == 0) return;
  blocks_.resize(static_cast<size_t>((rows.rows() + kRows - 1) / kRows));
  pool.run(block_count(), [&](int, int64_t b) {
    Block& block = blocks_[static_cast<size_t>(b)];
    const int64_t first = b * kRows;
    TurnedRows turned = turn_rows(rows, first, std::min(rows.rows(), first + kRows));
    block.values.reserve(turned.entries.size());
    for (size_t k = 0; k < turned.entries.size(); ++k)
      block.values.push_back(static_cast<float>(weights[static_cast<size_t>(first) + turned.rows[k]] *
                                                double{rows.values[static_cast<size_t>(turned.entries[k])]}));
    block.columns = std::move(turned.columns);
    block.begins = std::move(turned.begins);
    block.rows = std::move(turned.rows);
  });
}

void SparseBlocks::add_panels(const Block& block, const FactorTable& table, int64_t first_row, PanelRange range,
                              std::span<double> sums) const {
  alignas(64) float sum[kMostPanels * kPanel];
  for (size_t at = 0; at < block.columns.size(); ++at) {
    const auto begin = static_cast<size_t>(block.begins[at]);
    const auto end = static_cast<size_t>(block.begins[at + 1]);
    double* to = sums.data() + int64_t{block.columns[at]} * table.stride() + range.first * kPanel;
    for (size_t k = begin; k < end; k += kFloatTerms) {
      const size_t count = std::min(kFloatTerms, end - k);
      sum_panels(table, first_row, std::span(block.rows).subspan(k, count), std::span(block.values).subspan(k, count), range.first * kPanel,
                 range.count, sum);
      for (int j = 0; j < range.count * kPanel; ++j) to[j] += static_cast<double>(sum[j]);
    }
  }
}

void SparseBlocks::add_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const {
  const int64_t panels = table.stride() / kPanel;
  pool.run((panels + kMostPanels - 1) / kMostPanels, [&](int, int64_t task) {
    const int64_t first = task * kMostPanels;
    const PanelRange range{first, static_cast<int>(std::min(kMostPanels, panels - first))};
    for (int64_t b = 0; b < block_count(); ++b) add_panels(blocks_[static_cast<size_t>(b)], table, b * kRows, range, sums);
  });
}

}  // namespace bouquet::cpu
