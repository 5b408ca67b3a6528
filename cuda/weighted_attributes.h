// One side's attributes X with the weights R of its rows on the device, as the attribute step needs them: products with XᵀR, and the Gram
// matrix XᵀRX, in double. Every sum has an order that the sizes alone decide.
//
// Positions: a product has F + 1 rows, the dense columns, the intercept, the sparse columns, so that what cuBLAS sums stands together.
#pragma once

#include <cstdint>
#include <span>

#include "cuda/device_array.h"
#include "cuda/libraries.h"
#include "cuda/prior_means.h"
#include "cuda/sparse_segments.h"
#include "cuda/stream.h"
#include "engine/attribute_rows.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// Rows [n, stride] of which the first `width` columns count; and a column of ones after these, where asked for.
struct ProductTable {
  const float* values = nullptr;
  int64_t stride = 0;
  int32_t width = 0;
  bool with_ones = false;

  int32_t columns() const { return width + (with_ones ? 1 : 0); }
};

// A side before anything of it is on the device.
struct WeightedSide {
  AttributeRows rows;                    // on the host
  std::span<const double> weights = {};  // [n], on the host
  DeviceAttributes attributes = {};      // the same rows, and ...
  const double* ridges = nullptr;        // ... the same weights, on the device; both outlive what is made of them
};

class WeightedAttributes {
 public:
  // For tables of up to `widest` columns; where there will be a Gram matrix, of its own dense columns too. Waits for the stream.
  WeightedAttributes(const WeightedSide& side, int32_t widest, bool with_gram, const Stream& stream);
  static void count_memory(const AttributeRows& rows, int32_t widest, bool with_gram, MemoryTable& table);

  int64_t size() const { return int64_t{attributes_.column_count} + 1; }  // F + 1

  // out [F + 1, row_length] := XᵀR table, in the first columns of each row. Asynchronous.
  void products(const ProductTable& table, double* out, int64_t row_length, const BlasHandle& blas, const Stream& stream);
  // The lower triangle of out [F + 1, F + 1] row-major := XᵀRX. At most kDirectAttributeColumns columns. Asynchronous.
  void gram(double* out, const BlasHandle& blas, const Stream& stream);

 private:
  void dense_products(const ProductTable& table, double* out, int64_t row_length, const BlasHandle& blas, const Stream& stream);
  void sparse_products(const ProductTable& table, double* out, int64_t row_length, const Stream& stream);

  DeviceAttributes attributes_;
  const double* ridges_;
  int64_t rows_;
  int32_t sparse_columns_, segment_count_, split_count_;
  DeviceArray<double> chunk_;  // rows of both sides of a product, in double
  DeviceArray<double> sums_;   // of the partitions of a chunk
  DeviceArray<int64_t> begins_;
  DeviceArray<SparseSegment> segments_;
  DeviceArray<SplitColumn> splits_;
  DeviceArray<int32_t> turned_rows_;
  DeviceArray<double> turned_values_;
  DeviceArray<double> partial_;  // [slots, columns of a turn]
};

}  // namespace bouquet::cuda
