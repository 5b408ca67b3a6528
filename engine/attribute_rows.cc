#include "engine/attribute_rows.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status wrong_row(int64_t r, const std::string& what) { return wrong_usage("attributes of row " + std::to_string(r) + ": " + what); }

absl::Status check_shape(const AttributeRows& rows, int64_t expected_rows) {
  if (rows.dense_count < 0 || rows.dense_count > kMaxDenseAttributeColumns)
    return wrong_usage(std::to_string(rows.dense_count) + " dense attribute columns; 0 to " + std::to_string(kMaxDenseAttributeColumns) +
                       " are possible");
  if (rows.column_count < rows.dense_count || rows.column_count > kMaxAttributeColumns)
    return wrong_usage(std::to_string(rows.column_count) + " attribute columns; at least the dense ones and at most " +
                       std::to_string(kMaxAttributeColumns) + " are possible");
  if (rows.rows() != expected_rows)
    return wrong_usage(std::to_string(rows.rows()) + " rows of attributes where " + std::to_string(expected_rows) + " belong");
  if (static_cast<int64_t>(rows.dense.size()) != expected_rows * rows.dense_count)
    return wrong_usage("the dense attributes are not n x " + std::to_string(rows.dense_count));
  if (rows.offsets[0] != 0 || !std::ranges::is_sorted(rows.offsets))
    return wrong_usage("the offsets of the attributes do not ascend from 0");
  const auto count = static_cast<size_t>(rows.offsets.back());
  if (rows.columns.size() != count || rows.values.size() != count)
    return wrong_usage("attribute columns and values do not have as many entries as the last offset says");
  return absl::OkStatus();
}

absl::Status check_row(const AttributeRows& rows, int64_t r) {
  for (const float x : rows.dense_row(r))
    if (!std::isfinite(x)) return wrong_row(r, "a dense value is not finite");
  const auto columns = rows.row_columns(r);
  const auto values = rows.row_values(r);
  for (size_t k = 0; k < columns.size(); ++k) {
    if (columns[k] < rows.dense_count || columns[k] >= rows.column_count)
      return wrong_row(r, "column " + std::to_string(columns[k]) + " is not among the sparse ones");
    if (k > 0 && columns[k] <= columns[k - 1]) return wrong_row(r, "its columns do not ascend");
    if (!std::isfinite(values[k])) return wrong_row(r, "the value of column " + std::to_string(columns[k]) + " is not finite");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status validate(const AttributeRows& rows, int64_t expected_rows) {
  if (absl::Status s = check_shape(rows, expected_rows); !s.ok()) return s;
  for (int64_t r = 0; r < expected_rows; ++r)
    if (absl::Status s = check_row(rows, r); !s.ok()) return s;
  return absl::OkStatus();
}

}  // namespace bouquet
