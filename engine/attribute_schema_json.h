// An attribute schema as JSON: a section of the artifact.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/attribute_schema.h"

namespace bouquet {

inline constexpr int kAttributeSchemaFormat = 1;  // another cannot be read

// One object: {"format": 1, "attributes": [...]}. Numbers are written so that they read back as the same bits.
std::string attribute_schema_text(const AttributeSchema& schema);

// Every type, range and limit is checked. Errors: DataLoss, naming the field and what is wrong.
absl::StatusOr<AttributeSchema> parse_attribute_schema(std::string_view text);

}  // namespace bouquet
