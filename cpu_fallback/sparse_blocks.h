// Sparse attribute columns, times a weight per row, turned so that XᵀR times a table reads both once: blocks of rows, and within a block
// the entries column by column. A block's slice of the table stays in the cache while all its columns are summed. Made once per training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/attribute_rows.h"

namespace bouquet::cpu {

// The sparse entries of a few rows, column by column.
struct TurnedRows {
  std::vector<int32_t> columns;  // that occur, ascending, counted from the first sparse one
  std::vector<int64_t> begins;   // [columns + 1]
  std::vector<uint16_t> rows;    // counted from the first, ascending within a column
  std::vector<int64_t> entries;  // likewise: where they stand in AttributeRows::columns
};

// Rows [first, end), at most 65,536.
TurnedRows turn_rows(const AttributeRows& rows, int64_t first, int64_t end);

class SparseBlocks {
 public:
  static constexpr int64_t kRows = 8192;  // of a block

  SparseBlocks() = default;
  // `weights` [rows.rows()].
  SparseBlocks(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool);

  int64_t column_count() const { return columns_; }
  // sums[c * stride + j] += sum over the rows r of weight x[r][c] table[r][j]. A task takes all rows of its columns j, so the bits are the
  // same at any number of threads.
  void add_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const;

 private:
  struct Block {
    std::vector<int32_t> columns;  // that occur, ascending
    std::vector<int64_t> begins;   // [columns + 1]
    std::vector<uint16_t> rows;
    std::vector<float> values;
  };
  int64_t block_count() const { return static_cast<int64_t>(blocks_.size()); }

  static constexpr int64_t kMostPanels = 2;  // that are summed together
  struct PanelRange {
    int64_t first;
    int count;
  };
  void add_panels(const Block& block, const FactorTable& table, int64_t first_row, PanelRange range, std::span<double> sums) const;

  int64_t columns_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace bouquet::cpu
