// What a cell of an attribute file means, once the attribute's type is known.
#pragma once

#include "engine/attribute_value.h"
#include "training/cell.h"

namespace bouquet::training {

// Returns nullptr, or what is wrong with the cell, to be put behind its value. Empty cells are missing, and so is NaN where a file has
// numbers as such. The value points into the cell's block and `arena`.
//   number    a finite number
//   category  text of up to 64 KiB; numbers and true or false as their text
//   set       a list of texts or numbers; text with `|` between the elements
//   flag      true or false, also as text in any case, yes, no, 1, 0
//   text      text of up to 1 MiB; numbers as their text
//   vector    a list of finite numbers; text with `|` between them
const char* read_attribute(const Cell& cell, AttributeType type, TextArena& arena, AttributeValue& value);

}  // namespace bouquet::training
