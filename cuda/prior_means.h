// Prior means on the device: what attributes lead one to expect of a row, x A (docs/algorithms/attributes.md), as half-steps, fold-in and
// the objective take it.
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/factor_array.h"
#include "cuda/libraries.h"
#include "cuda/row_systems.h"
#include "cuda/solve_source.h"
#include "cuda/stream.h"
#include "engine/attribute_rows.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// n rows of attributes (engine/attribute_rows.h) in device memory.
struct DeviceAttributes {
  int32_t column_count = 0;          // F
  int32_t dense_count = 0;           // D
  const float* dense = nullptr;      // [n, D]
  const int64_t* offsets = nullptr;  // [n + 1]
  const int32_t* columns = nullptr;
  const float* values = nullptr;
};

// A side's attributes, copied once per training.
class AttributeArrays {
 public:
  AttributeArrays() = default;
  // `rows` must live until the stream is waited for.
  AttributeArrays(const AttributeRows& rows, const Stream& stream);
  static void count_memory(const AttributeRows& rows, MemoryTable& table);

  DeviceAttributes view() const;

 private:
  int32_t column_count_ = 0, dense_count_ = 0;
  DeviceArray<float> dense_, values_;
  DeviceArray<int64_t> offsets_;
  DeviceArray<int32_t> columns_;
};

// The map A [F + 1, row_stride(d)], zero past d, the intercept last; and the same in the eigenbasis of what rows are solved against.
class PriorMap {
 public:
  // All zero. Asynchronous.
  PriorMap(int32_t column_count, int32_t d, const Stream& stream);
  static void count_memory(int32_t column_count, int32_t d, MemoryTable& table);

  FactorArray& table() { return table_; }
  const FactorArray& table() const { return table_; }
  // Brings the map into the eigenbasis of `source`, where it has one. Must follow every change of either. Asynchronous.
  void rotate(const SolveSource& source, const BlasHandle& blas);
  const float* rotated() const { return rotated_.data(); }

 private:
  FactorArray table_, rotated_;
};

// What a half-step draws its rows to. Without `map` to zero.
struct RowPriors {
  DeviceAttributes attributes;    // of the rows
  const PriorMap* map = nullptr;  // rotated into the basis of the source
  float* means = nullptr;         // [rows, row_stride(d)], for compute_prior_means() to fill
};

// Row r of `means` := attributes of row r times `map` [F + 1, row_stride(d)], for every row of the list; a list without `rows` is of the
// rows 0, 1, 2, ... A row's sum is in one order, the intercept, dense columns, sparse ones, whatever the rows beside it. Asynchronous.
void compute_prior_means(const DeviceAttributes& attributes, const float* map, int32_t d, const RowList& rows, float* means,
                         const Stream& stream);

}  // namespace bouquet::cuda
