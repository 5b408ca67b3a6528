// One item of a catalog with everything that is known of it: how changed and new items are put into a catalog, and how rows are taken out.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/catalog.h"

namespace bouquet {

// A number, a flag, a text (kCategory) or a set of texts. Finite, not empty.
using CatalogValue = std::variant<double, bool, std::string, std::vector<std::string>>;

// kNumber, kFlag, kCategory or kSet.
AttributeType type_of(const CatalogValue& value);

struct CatalogItem {
  ItemKind kind = ItemKind::kProduct;
  std::string title = {}, category = {};
  std::map<std::string, CatalogValue> attributes = {};  // what it lacks is missing
};

// What a catalog keeps of a text, titles and categories included: its first 1,024 bytes, without a part of a character.
std::string_view catalog_text(std::string_view text);

// Row `row` of `catalog`, which has `row_count` rows.
CatalogItem item_at(const Catalog& catalog, int64_t row_count, int64_t row);

// The catalog of `items` with these columns; a value that is not of its column's type is missing, and so is one without a column.
Catalog catalog_of(std::span<const CatalogItem> items, std::span<const CatalogColumn> columns);

// Which rows may be offered at a moment: `stock`, if it is a number, is more than 0; `available`, if it is a flag, is true; the moment is
// not before `available_from` and before `available_until`, which are texts as the moment is. A row that lacks one passes it.
struct Availability {
  std::vector<uint64_t> bitmap;  // [ceil(row_count / 64)]
  bool all = true;               // every row may
  std::string next;              // the next moment at which that may be otherwise; empty: never
};

// How moments are written (absl::FormatTime, in UTC) in `available_from`, `available_until` and questions: their bytes order them.
inline constexpr char kMomentFormat[] = "%Y-%m-%dT%H:%M:%SZ";

// `moment` is RFC 3339 in UTC, of seconds: "2026-01-31T00:00:00Z".
Availability availability(const Catalog& catalog, int64_t row_count, std::string_view moment);

}  // namespace bouquet
