// Which column of an attribute schema stands for what, as callers see it who send values by column (PackedValues,
// engine/attribute_encoder.h).
#pragma once

#include <string>

#include "engine/attribute_schema.h"

namespace bouquet {

// Sixteen hexadecimal digits. Equal for schemas whose attributes have the same names, types, values, lengths and order, so that the same
// columns stand for the same things: how numbers are standardised, and how often words occurred, may differ.
std::string layout_version(const AttributeSchema& schema);

}  // namespace bouquet
