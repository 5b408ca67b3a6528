// Which columns of attribute files are attributes, and of what type.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "training/attribute_files.h"
#include "training/attribute_fit.h"

namespace bouquet::training {

struct AttributeColumns {
  std::vector<TypedAttribute> attributes;  // in the order of the files
  std::vector<AttributeFinding> findings;  // columns that are of no type
};

// Looks at the first 100,000 rows of each file, and at all of them where a column has no value there. Errors: as read_attributes.
absl::StatusOr<AttributeColumns> attribute_columns(const AttributeSource& source);

}  // namespace bouquet::training
