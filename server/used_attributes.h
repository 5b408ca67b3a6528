// An encoded row of attributes, written for people.
#pragma once

#include "bouquet/v1/profiles.pb.h"
#include "engine/attribute_schema.h"
#include "server/request_attributes.h"

namespace bouquet::server {

// Adds the attributes of `row` that are not missing to `profile`, numbers in their own unit.
void add_used_attributes(const AttributeSchema& schema, const EncodedRow& row, v1::Profile* profile);

}  // namespace bouquet::server
