// For messages: the known name that a misspelt one probably means.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bouquet::training {

// The name of `known` with the smallest edit distance to `name` (letters without case; the first of equals); empty if there is none.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

}  // namespace bouquet::training
