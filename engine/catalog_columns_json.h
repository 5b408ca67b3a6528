// Names and types of catalog columns as JSON: a section of the artifact beside the arrays of their values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog_columns.h"

namespace bouquet {

inline constexpr int kCatalogColumnsFormat = 1;  // another cannot be read

// One object: {"format": 1, "columns": [{"name": "price", "type": "number"}]}.
std::string catalog_columns_text(const std::vector<CatalogColumn>& columns);

// Errors: DataLoss, naming the field and what is wrong. Names are checked by validate().
absl::StatusOr<std::vector<CatalogColumn>> parse_catalog_columns(std::string_view text);

}  // namespace bouquet
