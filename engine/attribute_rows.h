// Attributes of customers or items as the mathematics sees them: one row of numbers per entity, made by an attribute schema. Dense columns
// (numbers, vectors) and sparse ones (categories, words) are stored apart: 300 dense and 4,700 sparse columns of which 60 are set
// take 1.7 KB per entity.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/shared_array.h"

namespace bouquet {

// Columns [0, dense_count) are dense, [dense_count, column_count) sparse. The intercept is not among them: every row has it, and a prior
// map has it as its last row. Host memory, borrowed.
struct AttributeRows {
  int32_t column_count = 0;  // F; 0: there are no attributes
  int32_t dense_count = 0;
  std::span<const float> dense = {};      // [n, dense_count] row-major
  std::span<const int64_t> offsets = {};  // [n + 1]
  std::span<const int32_t> columns = {};  // of row r: [offsets[r], offsets[r + 1]), ascending, in [dense_count, column_count)
  std::span<const float> values = {};     // of the same length

  int64_t rows() const { return offsets.empty() ? 0 : static_cast<int64_t>(offsets.size()) - 1; }
  std::span<const float> dense_row(int64_t r) const {
    return dense.subspan(static_cast<size_t>(r * dense_count), static_cast<size_t>(dense_count));
  }
  std::span<const int32_t> row_columns(int64_t r) const { return columns.subspan(begin(r), length(r)); }
  std::span<const float> row_values(int64_t r) const { return values.subspan(begin(r), length(r)); }
  // Row r as rows of its own. `own_offsets` is filled and must outlive the result.
  AttributeRows one_row(int64_t r, std::array<int64_t, 2>& own_offsets) const {
    own_offsets = {0, static_cast<int64_t>(length(r))};
    return {column_count, dense_count, dense_row(r), own_offsets, row_columns(r), row_values(r)};
  }

 private:
  size_t begin(int64_t r) const { return static_cast<size_t>(offsets[static_cast<size_t>(r)]); }
  size_t length(int64_t r) const { return static_cast<size_t>(offsets[static_cast<size_t>(r) + 1]) - begin(r); }
};

// The same, owned or mapped.
struct AttributeTable {
  int32_t column_count = 0;
  int32_t dense_count = 0;
  SharedArray<float> dense;
  SharedArray<int64_t> offsets;
  SharedArray<int32_t> columns;
  SharedArray<float> values;

  bool empty() const { return column_count == 0; }
  AttributeRows rows() const { return {column_count, dense_count, dense.view(), offsets.view(), columns.view(), values.view()}; }
};

// The same, growing row by row.
class GrowingAttributes {
 public:
  GrowingAttributes() = default;
  GrowingAttributes(int32_t column_count, int32_t dense_count) : column_count_(column_count), dense_count_(dense_count) {}

  // Keeps the memory.
  void clear() {
    dense_.clear();
    offsets_.assign(1, 0);
    columns_.clear();
    values_.clear();
  }
  void append(std::span<const float> dense, std::span<const int32_t> columns, std::span<const float> values) {
    dense_.insert(dense_.end(), dense.begin(), dense.end());
    columns_.insert(columns_.end(), columns.begin(), columns.end());
    values_.insert(values_.end(), values.begin(), values.end());
    offsets_.push_back(static_cast<int64_t>(columns_.size()));
  }
  void append_row(const AttributeRows& from, int64_t r) { append(from.dense_row(r), from.row_columns(r), from.row_values(r)); }

  AttributeRows rows() const { return {column_count_, dense_count_, dense_, offsets_, columns_, values_}; }
  AttributeTable take() && {
    return {column_count_, dense_count_, std::move(dense_), std::move(offsets_), std::move(columns_), std::move(values_)};
  }

 private:
  int32_t column_count_ = 0, dense_count_ = 0;
  std::vector<float> dense_, values_;
  std::vector<int64_t> offsets_{0};
  std::vector<int32_t> columns_;
};

inline constexpr int32_t kMaxDenseAttributeColumns = 5000;
inline constexpr int32_t kMaxAttributeColumns = 200000;

// Whether `rows` has `expected_rows` rows that keep the promises above, within the limits, with finite values. Errors: InvalidArgument,
// naming the row.
absl::Status validate(const AttributeRows& rows, int64_t expected_rows);

}  // namespace bouquet
