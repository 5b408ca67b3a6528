// The values of item columns while item files are read, on their way into the catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/attribute_elements.h"
#include "engine/catalog_columns_builder.h"
#include "training/attribute_columns.h"
#include "training/cell.h"
#include "training/time_parser.h"

namespace bouquet::training {

// Texts and elements of sets are catalog_text().
class ItemColumnValues {
 public:
  // Vectors, and columns past the first kMaxCatalogColumns, are checked and not kept.
  ItemColumnValues(std::span<const ItemColumn> columns, TimeParser times);

  size_t column_count() const { return columns_.size(); }
  int64_t left_out() const { return left_out_; }  // columns past the limit
  const ItemColumn& column(size_t c) const { return columns_[c].column; }
  // Items from the old count on miss everything.
  void resize(size_t items);
  // Looks at column `c` of a row; nullptr, or what is wrong with the cell. Allocates in `arena`.
  const char* read(size_t c, const Cell& cell, TextArena& arena);
  // The row read last, of which every column was, is that of `item`.
  void keep(size_t item);

  // This is empty afterwards.
  CatalogColumns finish();

 private:
  struct Values {
    ItemColumn column;
    bool kept = true;
    AttributeValue last;
    std::vector<double> numbers;
    std::vector<uint8_t> flags;
    std::vector<std::string> texts;
    std::vector<CatalogColumnsBuilder::Set> sets;
  };
  void keep_set(Values& values, size_t item);

  std::vector<Values> columns_;
  int64_t left_out_ = 0;
  TimeParser times_;
  SetElements elements_;
};

}  // namespace bouquet::training
