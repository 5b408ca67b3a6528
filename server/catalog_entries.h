// Between what calls say of items (bouquet.v1.Item) and what a catalog holds (engine/catalog_item.h).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "bouquet/v1/catalog.pb.h"
#include "engine/catalog_item.h"

namespace bouquet::server {

// The types of attributes by name, those of Item's fields among them.
using AttributeTypes = std::map<std::string, AttributeType>;
AttributeTypes types_of_item_fields();

// The type of a value that has none yet: number, flag, text (kCategory) or texts (kSet). Nothing: a vector, or nothing is set; no filter
// asks for those.
std::optional<AttributeType> own_type(const v1::AttributeValue& value);

// The value as one of `type`: numbers and flags are texts too, and text is a set of what stands apart by `|`. Nothing: it is none.
std::optional<CatalogValue> value_as(const v1::AttributeValue& value, AttributeType type);

// Takes over every field that `said` sets.
void merge(const v1::Item& said, v1::Item& known);

// `base` with what `known` sets. An attribute whose value is none of its type in `types` is missing.
CatalogItem with_entry(CatalogItem base, const v1::Item& known, const AttributeTypes& types);

void write_item(const CatalogItem& item, v1::Item* out);

}  // namespace bouquet::server
