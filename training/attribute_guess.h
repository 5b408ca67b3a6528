// What a column of an attribute file is taken for where nobody says it, and what one look at it finds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/attribute_value.h"
#include "training/file_profile.h"

namespace bouquet::training {

// By what every value can be read as (ColumnProfile::type). Among 100 values and more, 1 in 100 may be no number, so that one wrong
// row of a column of numbers is a bad row rather than the end of the numbers. Nothing for times, lists of lists, and columns without a
// value.
std::optional<AttributeType> guessed_type(const ColumnProfile& column);

// "column x: ..." for each column that is constant, without a value, like an id, or equal to an earlier one.
std::vector<std::string> column_findings(std::span<const ColumnProfile> columns);

}  // namespace bouquet::training
