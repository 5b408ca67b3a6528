// Which columns of attribute files are attributes, and of what type.
#pragma once

#include <string>
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

// One column of item files as the catalog takes it, under the name that filters ask for.
struct ItemColumn {
  std::string in_files;
  std::string name;
  AttributeType type = AttributeType::kNumber;
  bool weighted = false;  // set: its elements are word:weight
  bool is_time = false;   // available_from, available_until
};

// What item files say of items beside id, title, category and kind, typed as attributes are, those included that are `ignore`d by
// the model. price and stock are numbers whatever they look like, available is a flag, available_from and available_until are times; other
// times are categories. Columns without a value have no type and are left out. A source without files, or standard input, has none.
// Errors: NotFound (a file).
absl::StatusOr<std::vector<ItemColumn>> item_columns(const AttributeSource& source);

}  // namespace bouquet::training
