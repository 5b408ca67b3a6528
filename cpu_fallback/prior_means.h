// Prior means: what attributes lead one to expect of a row, x A (docs/algorithms/attributes.md), as half-steps and fold-in take it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/solve_source.h"
#include "engine/attribute_rows.h"
#include "engine/views.h"

namespace bouquet::cpu {

// The map A, [F + 1, d]: the last row is the intercept. Zero until it is assigned.
class PriorMap {
 public:
  PriorMap() = default;
  PriorMap(int32_t column_count, int32_t dense_count, int32_t dimension);

  // `rows` [F + 1, d]. `missing_columns`: AttributePrior's; rows that have most of them are summed from what no attribute at all leads to.
  void assign(MatrixView<const float> rows, std::span<const int32_t> missing_columns = {});

  int32_t column_count() const { return static_cast<int32_t>(table_.rows()) - 1; }
  int32_t dense_count() const { return dense_count_; }
  const FactorTable& table() const { return table_; }
  const float* dense_panels() const { return dense_panels_.get(); }  // panels [stride / 16][dense_count][16]
  const float* intercept() const { return table_.row(column_count()); }
  std::span<const int32_t> missing_columns() const { return missing_columns_; }
  // The intercept and the rows of all missing columns. Where there are such columns.
  const float* nothing_known() const { return nothing_known_.get(); }

 private:
  FactorTable table_;
  int32_t dense_count_ = 0;
  FloatBuffer dense_panels_;
  std::vector<int32_t> missing_columns_;
  FloatBuffer nothing_known_;
};

// One row's prior, for RowSolver.
struct RowPrior {
  const float* mean = nullptr;     // [stride]; null: the prior mean is zero
  const float* rotated = nullptr;  // [stride], in the eigenbasis of the source
};

// The prior means of up to kBatch rows at a time: one worker's scratch memory. A row's bits depend on its attributes and the map alone.
class PriorMeans {
 public:
  static constexpr int64_t kBatch = kPanel;

  // A map without a table (no attributes): every prior is null. `map` and `source` outlive this.
  PriorMeans(const PriorMap& map, const SolveSource& source) : PriorMeans(map, &source) {}
  // Without a source there are means alone.
  explicit PriorMeans(const PriorMap& map) : PriorMeans(map, nullptr) {}

  bool has_prior() const { return means_.rows() > 0; }
  // Rows [first, first + count) of `rows`, count <= kBatch. Nothing is done where there is no prior.
  void compute(const AttributeRows& rows, int64_t first, int64_t count);
  // Of row first + i of the last batch.
  RowPrior row(int64_t i) const {
    if (!has_prior()) return {};
    return {means_.row(i), source_ == nullptr ? nullptr : rotated_.row(i)};
  }

 private:
  PriorMeans(const PriorMap& map, const SolveSource* source);
  void multiply_dense(const AttributeRows& rows, int64_t first, int64_t count);
  // Adds to `mean` what the sparse columns and the intercept say.
  void add_sparse(std::span<const int32_t> columns, std::span<const float> values, float* mean);
  // Fills the differences with what to add to nothing_known(). False: they would be no fewer than the row's own numbers.
  bool differ_from_nothing_known(std::span<const int32_t> columns, std::span<const float> values);

  const PriorMap& map_;
  const SolveSource* source_;
  FactorTable means_;    // [kBatch]
  FactorTable rotated_;  // [kBatch]
  FloatBuffer dense_;    // a panel [dense_count][16]
  FloatBuffer panel_;    // [stride][16]
  std::vector<int32_t> difference_columns_;
  std::vector<float> difference_values_;
};

}  // namespace bouquet::cpu
