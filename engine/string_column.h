// Strings by dense row, in one arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/shared_array.h"

namespace bouquet {

// No offsets: every string is empty.
struct StringColumn {
  SharedArray<char> bytes;
  SharedArray<uint64_t> offsets;  // [rows + 1] or empty

  std::string_view at(int64_t row) const {
    if (offsets.empty()) return {};
    return {bytes.data() + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row])};
  }
};

}  // namespace bouquet
