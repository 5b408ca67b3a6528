// Strings by dense row, in one arena.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// The column of `rows`.
inline StringColumn string_column(const std::vector<std::string>& rows) {
  std::vector<char> bytes;
  std::vector<uint64_t> offsets{0};
  for (const std::string& row : rows) {
    bytes.insert(bytes.end(), row.begin(), row.end());
    offsets.push_back(bytes.size());
  }
  if (bytes.empty()) return {};
  return {std::move(bytes), std::move(offsets)};
}

}  // namespace bouquet
