// What cells mean: ids, numbers and times. Each function returns nullptr, or what is wrong with the cell, to be put behind its value.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "training/cell.h"
#include "training/time_parser.h"

namespace bouquet::training {

// The id as text of 1 to 128 bytes of UTF-8. Whole numbers, and floating-point numbers that are whole (`17850.0`), become decimal text;
// other numbers are refused. The text of a CSV field is a number only if it is digits with a fraction of zeros.
const char* read_id(const Cell& cell, TextArena& arena, std::string_view& id);

bool is_valid_utf8(std::string_view text);

// A finite number.
const char* read_number(const Cell& cell, double& value);

// The list of `cells`, made in `arena`. Numbers are kNumbers if the file has them with a fraction somewhere (`floating`), a null among them
// being NaN; otherwise texts and whole numbers are kTexts, without the nulls; other elements make it kNested.
Cell list_cell(std::span<const Cell> cells, bool floating, TextArena& arena);

const char* read_time(const Cell& cell, TimeParser& parser, int64_t& microseconds);

}  // namespace bouquet::training
