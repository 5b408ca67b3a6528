// "Did you mean": the known name that is the fewest edits away from what was typed.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bouquet {

// The nearest of `known` by Levenshtein distance without regard to ASCII case; the first of equals; empty if `known` is.
std::string nearest_name(std::string_view typed, std::span<const std::string> known);

}  // namespace bouquet
