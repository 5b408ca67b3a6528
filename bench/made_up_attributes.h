// Attributes by size, for the attribute step of `bouquet bench train`.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/attribute_rows.h"

namespace bouquet::bench {

struct AttributeShape {
  int32_t dense = 0;   // columns of numbers
  int32_t sparse = 0;  // columns of categories
  int32_t set = 0;     // of the sparse ones in each row: a category has `sparse / set` values, of which the first are frequent

  bool empty() const { return dense == 0 && sparse == 0; }
};

// The same numbers for the same shape and seed. Errors: InvalidArgument (columns past the limits of attribute_rows.h, more set than there
// are).
absl::StatusOr<AttributeTable> made_up_attributes(int64_t rows, const AttributeShape& shape, uint64_t seed);

}  // namespace bouquet::bench
