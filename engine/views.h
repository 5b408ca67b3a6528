// The small words every other header is written in: dense indices, borrowed matrices, lists and bitmaps.
#pragma once

#include <cstdint>
#include <span>

namespace bouquet {

using CustomerIndex = int32_t;  // dense row of a customer; the outside world's ids live in IdMap
using ItemIndex = int32_t;      // dense row of an item

inline constexpr int32_t kNone = -1;  // no such row: padding, an unknown id

// A borrowed row-major matrix. Row r starts at data + r * cols.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;

  std::span<T> row(int64_t r) const { return {data + r * cols, static_cast<size_t>(cols)}; }
  bool empty() const { return rows == 0; }
  // It says that there are numbers, and where is not said.
  bool is_nowhere() const { return data == nullptr && rows > 0 && cols > 0; }
};

// Borrowed lists of indices: list r is indices[offsets[r] .. offsets[r + 1]), ascending, without repeats.
// No offsets at all means "every list is empty".
struct ListsView {
  std::span<const int64_t> offsets;  // [lists + 1] or empty
  std::span<const int32_t> indices;  // [offsets.back()]

  std::span<const int32_t> list(int64_t r) const {
    if (offsets.empty()) return {};
    return indices.subspan(static_cast<size_t>(offsets[r]), static_cast<size_t>(offsets[r + 1] - offsets[r]));
  }
};

// A borrowed bitmap over dense rows: bit r % 64 of word r / 64. Bits past the row count are ignored.
struct BitmapView {
  std::span<const uint64_t> words;  // [ceil(rows / 64)]

  bool test(int64_t r) const { return (words[static_cast<size_t>(r >> 6)] >> (r & 63)) & 1; }
};

inline int64_t bitmap_word_count(int64_t rows) { return (rows + 63) / 64; }

}  // namespace bouquet
