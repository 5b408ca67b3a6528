// One comparison of a filter, bound to a catalog. Internal to engine/item_filter.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "engine/filter_syntax.h"

namespace bouquet {

// Immutable; borrows the catalog that it was bound to.
class ItemPredicate {
 public:
  virtual ~ItemPredicate() = default;
  // Bit i of the result: whether item `first` + i matches, for i below `count`, which is 1 to 64; the other bits are 0.
  virtual uint64_t matches(int64_t first, int count) const = 0;
};

// Errors: InvalidArgument with the column (an attribute that the catalog does not have, with the nearest name; an operator or a value
// that its type does not take). What a comparison asks of an attribute that only `elsewhere` has is unknown of every item.
absl::StatusOr<std::unique_ptr<ItemPredicate>> bind(const FilterComparison& comparison, const Catalog& catalog, int64_t item_count,
                                                    std::span<const CatalogColumn> elsewhere);

}  // namespace bouquet
