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

class SparseBlocks {
 public:
  static constexpr int64_t kRows = 8192;  // of a block

  // The entries of one column in one block.
  struct Segment {
    int32_t column;                  // counted from the first sparse one
    std::span<const uint16_t> rows;  // counted from the block's first
    std::span<const float> values;   // times the row's weight
  };

  SparseBlocks() = default;
  // `weights` [rows.rows()].
  SparseBlocks(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool);

  int64_t block_count() const { return static_cast<int64_t>(blocks_.size()); }
  int64_t column_count() const { return columns_; }
  // Those of block b whose columns are in [first, end), in order.
  std::vector<Segment> segments(int64_t b, int64_t first, int64_t end) const;

  // sums[c * stride + j] += sum over the rows r of weight x[r][c] table[r][j]. Tasks are panels of 16 columns j, so the bits are the same
  // at any number of threads.
  void add_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const;

 private:
  struct Block {
    std::vector<int32_t> columns;  // that occur, ascending
    std::vector<int64_t> begins;   // [columns + 1]
    std::vector<uint16_t> rows;
    std::vector<float> values;
  };
  void add_panel(const Block& block, const FactorTable& table, int64_t first_row, int64_t panel, std::span<double> sums) const;

  int64_t columns_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace bouquet::cpu
