// What is known of each item beside its kind, title and category, by name and typed, as the shop states it: what filters ask for
// (engine/item_filter.h). Unlike EncodedAttributes nothing is scaled, cut or hashed here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_value.h"
#include "engine/shared_array.h"
#include "engine/string_column.h"

namespace bouquet {

struct CatalogColumn {
  std::string name;
  AttributeType type = AttributeType::kNumber;  // kNumber, kFlag, kCategory or kSet
};

inline constexpr uint8_t kMissingFlag = 2;
inline constexpr int kMaxCatalogColumns = 1000;

// Rows are ItemIndex. The values of all columns of one type stand one column behind the other, in the order of `columns`.
struct CatalogColumns {
  std::vector<CatalogColumn> columns;  // names are distinct, not empty, and none of those that every catalog has (is_catalog_field)
  SharedArray<double> numbers;         // [number columns, rows] NaN: missing
  SharedArray<uint8_t> flags;          // [flag columns, rows] 0, 1 or kMissingFlag
  SharedArray<int32_t> codes;          // [category columns, rows] position in `texts`; kNone: missing
  SharedArray<int64_t> set_offsets;    // [set columns * rows + 1], or empty without set columns: where each list of codes starts
  SharedArray<int32_t> set_codes;      // ascending and distinct within a list; a list of kNone alone: missing
  StringColumn texts;                  // every text of every column once, ascending by bytes, none empty

  bool empty() const { return columns.empty(); }
  int64_t text_count() const { return texts.offsets.empty() ? 0 : texts.offsets.size() - 1; }
  // The first position in `texts` whose text is not before `text`; text_count() if there is none.
  int32_t lower_code(std::string_view text) const;
  // The position of `text`, kNone if no item has it.
  int32_t code_of(std::string_view text) const;

  // The values of column `c`, which is of that type.
  std::span<const double> numbers_of(size_t c, int64_t rows) const { return values_of(numbers, c, rows); }
  std::span<const uint8_t> flags_of(size_t c, int64_t rows) const { return values_of(flags, c, rows); }
  std::span<const int32_t> codes_of(size_t c, int64_t rows) const { return values_of(codes, c, rows); }
  std::span<const int64_t> set_offsets_of(size_t c, int64_t rows) const {  // [rows + 1]
    return set_offsets.view().subspan(static_cast<size_t>(rank_of(c) * rows), static_cast<size_t>(rows) + 1);
  }

 private:
  // How many columns before `c` have its type.
  int64_t rank_of(size_t c) const;
  template <typename T>
  std::span<const T> values_of(const SharedArray<T>& all, size_t c, int64_t rows) const {
    return all.view().subspan(static_cast<size_t>(rank_of(c) * rows), static_cast<size_t>(rows));
  }
};

// Names that filters know in every catalog: title, category, kind.
bool is_catalog_field(std::string_view name);

// Shapes, codes in range and in order, numbers not infinite, names as promised. Errors: DataLoss, naming the column or array.
absl::Status validate(const CatalogColumns& columns, int64_t rows);

// The same columns with row rows[i] of `columns`, which has `row_count` rows, as row i.
CatalogColumns columns_of_rows(const CatalogColumns& columns, int64_t row_count, std::span<const int32_t> rows);

}  // namespace bouquet
