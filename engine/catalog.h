// What is known of items for showing and for filtering by kind: kinds, titles, categories.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/shared_array.h"

namespace bouquet {

enum class ItemKind : uint8_t { kProduct = 0, kContent = 1, kAction = 2 };
inline constexpr int kItemKindCount = 3;

// Strings by dense row, in one arena. No offsets: every string is empty.
struct StringColumn {
  SharedArray<char> bytes;
  SharedArray<uint64_t> offsets;  // [rows + 1] or empty

  std::string_view at(int64_t row) const {
    if (offsets.empty()) return {};
    return {bytes.data() + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row])};
  }
};

// Rows are ItemIndex. Missing columns are empty: every item is then an untitled product.
struct Catalog {
  SharedArray<uint8_t> kinds;  // [item_count] ItemKind, or empty
  StringColumn titles;
  StringColumn categories;

  ItemKind kind(int64_t item) const { return kinds.empty() ? ItemKind::kProduct : static_cast<ItemKind>(kinds[item]); }
};

std::string_view item_kind_name(ItemKind kind);  // PRODUCT, CONTENT, ACTION

}  // namespace bouquet
