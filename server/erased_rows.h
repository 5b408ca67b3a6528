// The rows of one model that do not count any more: of somebody who was erased, or of two who are not one person any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/views.h"

namespace bouquet::server {

// Thread-safe. A bit for each row.
class ErasedRows {
 public:
  explicit ErasedRows(int32_t rows) : words_((static_cast<size_t>(rows) + 63) / 64) {}

  void add(CustomerIndex row) {
    const uint64_t bit = uint64_t{1} << (row & 63);
    if ((words_[static_cast<size_t>(row) >> 6].fetch_or(bit, std::memory_order_acq_rel) & bit) == 0)
      count_.fetch_add(1, std::memory_order_acq_rel);
  }
  bool contains(CustomerIndex row) const {
    return count() != 0 && (words_[static_cast<size_t>(row) >> 6].load(std::memory_order_acquire) >> (row & 63) & 1) != 0;
  }
  int64_t count() const { return count_.load(std::memory_order_acquire); }
  // `bitmap` is as long.
  void take_out_of(std::span<uint64_t> bitmap) const {
    for (size_t w = 0; w < words_.size(); ++w) bitmap[w] &= ~words_[w].load(std::memory_order_acquire);
  }

 private:
  std::vector<std::atomic<uint64_t>> words_;
  std::atomic<int64_t> count_{0};
};

}  // namespace bouquet::server
