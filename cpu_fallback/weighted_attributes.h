// One side's attributes X with the weights R of its rows, as every attribute step needs them: products with XᵀR, summed in double over
// float blocks.
//
// Positions: a product has F + 1 rows in the order of the prior map (attribute_rows.h), the intercept last.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/sparse_blocks.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/attribute_rows.h"

namespace bouquet::cpu {

class WeightedAttributes {
 public:
  // `rows` is borrowed; `weights` [n] are positive.
  WeightedAttributes(const AttributeRows& rows, std::vector<double> weights, ThreadPool& pool);

  int64_t size() const { return int64_t{rows_.column_count} + 1; }  // F + 1
  std::span<const double> weights() const { return weights_; }

  // XᵀR table, [F + 1, d] row-major.
  std::vector<double> products(const FactorTable& table, ThreadPool& pool) const;

 private:
  void add_dense_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const;
  // Row r's dense values and the intercept's 1, times its weight: [dense_count + 1].
  void copy_dense(int64_t r, float* to) const;

  AttributeRows rows_;
  std::vector<double> weights_;
  SparseBlocks sparse_;
};

}  // namespace bouquet::cpu
