// What is known of items for showing and for filtering: kinds, titles, categories, and columns of any name.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/catalog_columns.h"
#include "engine/shared_array.h"
#include "engine/string_column.h"

namespace bouquet {

enum class ItemKind : uint8_t { kProduct = 0, kContent = 1, kAction = 2 };
inline constexpr int kItemKindCount = 3;

// Rows are ItemIndex. Missing columns are empty: every item is then an untitled product.
struct Catalog {
  SharedArray<uint8_t> kinds;  // [item_count] ItemKind, or empty
  StringColumn titles;
  StringColumn categories;
  CatalogColumns columns;  // what the shop calls its other attributes

  ItemKind kind(int64_t item) const { return kinds.empty() ? ItemKind::kProduct : static_cast<ItemKind>(kinds[item]); }
};

std::string_view item_kind_name(ItemKind kind);  // PRODUCT, CONTENT, ACTION

}  // namespace bouquet
