// Which rows may be returned for one query. Asked only about rows whose score is good enough, so setting it up must cost next to
// nothing whatever the number of rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "engine/views.h"

namespace bouquet::cpu {

class Eligibility {
 public:
  // `excluded` ascending; `filter` may be null. Both are borrowed.
  void reset(std::span<const int32_t> excluded, const BitmapView* filter) {
    excluded_ = excluded;
    filter_ = filter;
    seen_.fill(0);
    for (const int32_t row : excluded) word_of(row) |= bit_of(row);
  }

  bool allows(int32_t row) const {
    if (filter_ != nullptr && !filter_->test(row)) return false;
    // One bit per residue class says for most rows that no exclusion can meet them.
    if ((seen_[word_index(row)] & bit_of(row)) == 0) return true;
    return !std::binary_search(excluded_.begin(), excluded_.end(), row);
  }

  const BitmapView* filter() const { return filter_; }

 private:
  static constexpr uint32_t kClasses = 4096;
  static size_t word_index(int32_t row) { return static_cast<uint32_t>(row) % kClasses / 64; }
  static uint64_t bit_of(int32_t row) { return uint64_t{1} << (row & 63); }
  uint64_t& word_of(int32_t row) { return seen_[word_index(row)]; }

  std::span<const int32_t> excluded_;
  const BitmapView* filter_ = nullptr;
  std::array<uint64_t, kClasses / 64> seen_{};
};

}  // namespace bouquet::cpu
