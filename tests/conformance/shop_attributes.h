// Random attributes for the shops of small_shop.h, with the edges in fixed places.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/attribute_rows.h"

namespace bouquet::conformance {

struct AttributeShape {
  int32_t dense = 3;
  int32_t sparse = 40;
  uint64_t seed = 5;
};

// `rows` rows. Row 1 has no sparse column, row 2 all of them; the others have up to an eighth. The last sparse column occurs in row 2
// alone.
inline AttributeTable random_attributes(int64_t rows, const AttributeShape& shape) {
  std::mt19937_64 random(shape.seed);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  std::vector<float> dense, values;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  for (int64_t r = 0; r < rows; ++r) {
    for (int32_t f = 0; f < shape.dense; ++f) dense.push_back(static_cast<float>(uniform(-2, 2)));
    const double share = r == 1 ? 0 : r == 2 ? 1 : uniform(0, 0.125);
    for (int32_t c = 0; c < shape.sparse; ++c) {
      if (uniform(0, 1) >= share || (c == shape.sparse - 1 && r != 2)) continue;
      columns.push_back(shape.dense + c);
      values.push_back(c % 2 == 0 ? 1.0f : static_cast<float>(uniform(0.1, 1.5)));
    }
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  return {shape.dense + shape.sparse, shape.dense, std::move(dense), std::move(offsets), std::move(columns), std::move(values)};
}

// Row r alone.
inline AttributeTable row_alone(const AttributeTable& table, int64_t r) {
  const AttributeRows rows = table.rows();
  const auto dense = rows.dense_row(r);
  const auto columns = rows.row_columns(r);
  const auto values = rows.row_values(r);
  return {table.column_count,
          table.dense_count,
          std::vector<float>(dense.begin(), dense.end()),
          std::vector<int64_t>{0, static_cast<int64_t>(columns.size())},
          std::vector<int32_t>(columns.begin(), columns.end()),
          std::vector<float>(values.begin(), values.end())};
}

}  // namespace bouquet::conformance
