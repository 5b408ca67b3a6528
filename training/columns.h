// The columns that readers know, the names files may give them, and where they are in one file.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::training {

enum class Column : int { kCustomer, kItem, kType, kTime, kValue, kPrice, kBasket, kEvent, kTitle, kCategory, kKind };
inline constexpr int kColumnCount = 11;

// Canonical (`customer`) and default file name (`customer_id`), by Column.
struct ColumnName {
  std::string_view canonical;
  std::string_view in_files;
};
inline constexpr std::array<ColumnName, kColumnCount> kColumnNames = {{{"customer", "customer_id"},
                                                                       {"item", "item_id"},
                                                                       {"type", "event_type"},
                                                                       {"time", "time"},
                                                                       {"value", "value"},
                                                                       {"price", "price"},
                                                                       {"basket", "basket_id"},
                                                                       {"event", "event_id"},
                                                                       {"title", "title"},
                                                                       {"category", "category"},
                                                                       {"kind", "kind"}}};

using ColumnMap = std::map<std::string, std::vector<std::string>>;

// What one file has, by Column: the index of its column there, or -1.
using ColumnPlaces = std::array<int, kColumnCount>;

// Finds `wanted` among a file's names: the names that `mapped` gives, in order, then the default name. Errors: NotFound with the nearest
// name for a required column, and for one that `mapped` names although the file has none of its names.
absl::StatusOr<ColumnPlaces> place_columns(const std::string& file, std::span<const std::string> names, const ColumnMap& mapped,
                                           std::span<const Column> wanted, std::span<const Column> required);

}  // namespace bouquet::training
