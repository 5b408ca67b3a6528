#include "training/unit_rows.h"

#include <cmath>

namespace bouquet::training {

UnitRows::UnitRows(const AttributeRows& rows) : of_column_(static_cast<size_t>(rows.column_count)) {
  for (int64_t r = 0; r < rows.rows(); ++r) {
    std::vector<Entry>& row = of_item_.emplace_back();
    const auto dense = rows.dense_row(r);
    for (size_t f = 0; f < dense.size(); ++f)
      if (dense[f] != 0) row.push_back({static_cast<int32_t>(f), dense[f]});
    const auto columns = rows.row_columns(r);
    for (size_t k = 0; k < columns.size(); ++k) row.push_back({columns[k], rows.row_values(r)[k]});
    double square = 0;
    for (const Entry& e : row) square += double{e.value} * double{e.value};
    for (Entry& e : row) {
      e.value = static_cast<float>(double{e.value} / std::sqrt(square));
      of_column_[static_cast<size_t>(e.at)].push_back({static_cast<int32_t>(r), e.value});
    }
  }
}

}  // namespace bouquet::training
