// Filters over the attributes of items: the documented subset of AIP-160 (docs/api.md), evaluated once to a bitmap that rankers take.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog.h"

namespace bouquet {

// [ceil(item_count / 64)] the items of `catalog` for which `filter` is true, as a bitmap (BitmapView); bits past the count are 0. An
// attribute that an item lacks makes a comparison unknown, and NOT of unknown is unknown; an item passes only if the whole is true.
// Errors: InvalidArgument, pointing at the column of `filter` (counted in characters from 1) that cannot be understood, names an
// attribute that no item has (with the nearest name), or asks an attribute for what its type does not have. `elsewhere`: attributes that
// items of other catalogs have: those of this one lack them.
absl::StatusOr<std::vector<uint64_t>> items_passing(std::string_view filter, const Catalog& catalog, int64_t item_count,
                                                    std::span<const CatalogColumn> elsewhere = {});

}  // namespace bouquet
