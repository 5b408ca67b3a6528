// For errors about a name nobody knows: which known one was meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bouquet {

// How many letters must be inserted, removed, changed or swapped with their neighbour to turn one into the other
// (optimal string alignment). Bytes count, not characters.
size_t edit_distance(std::string_view a, std::string_view b);

// The one of `known` with the smallest edit distance to `name`, letters without case, the first of equals; empty if there is none. At most
// 128 bytes of each are compared.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

// What to add to an error about `name`: "; did you mean 'threads'?", or, if nothing is near, "; known are: epochs, threads" (of many the
// first 20 by name). Names of more than 128 bytes are near to nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace bouquet
