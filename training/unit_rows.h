// The attribute rows divided by their lengths, so that a product of two is a cosine; by item and by column.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/content_index.h"

namespace bouquet::training {

class UnitRows {
 public:
  // Dense columns count like the others. A row of zeros has no entries.
  explicit UnitRows(const AttributeRows& rows);

  const std::vector<UnitEntry>& of_item(int32_t item) const { return of_item_[static_cast<size_t>(item)]; }
  const std::vector<UnitEntry>& of_column(size_t column) const { return of_column_[column]; }  // by rising item
  size_t items() const { return of_item_.size(); }
  size_t columns() const { return of_column_.size(); }

 private:
  std::vector<std::vector<UnitEntry>> of_item_, of_column_;
};

}  // namespace bouquet::training
