#include "training/unit_rows.h"

namespace bouquet::training {

UnitRows::UnitRows(const AttributeRows& rows) : of_column_(static_cast<size_t>(rows.column_count)) {
  for (int64_t r = 0; r < rows.rows(); ++r) {
    of_item_.push_back(unit_row(rows, r));
    for (const UnitEntry& e : of_item_.back()) of_column_[static_cast<size_t>(e.at)].push_back({static_cast<int32_t>(r), e.value});
  }
}

}  // namespace bouquet::training
