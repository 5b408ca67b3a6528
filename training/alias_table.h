// Draws from a fixed discrete distribution in constant time (Walker 1977; built as by Vose 1991).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bouquet::training {

class AliasTable {
 public:
  // `weights` are 0 or more, at least one of them more; at most 2^31 - 1.
  explicit AliasTable(std::span<const double> weights);

  // The position that 64 random bits stand for.
  int32_t draw(uint64_t bits) const {
    const auto at = static_cast<size_t>(((bits >> 32) * cells_.size()) >> 32);
    return static_cast<uint32_t>(bits) < cells_[at].threshold ? static_cast<int32_t>(at) : cells_[at].other;
  }

 private:
  struct Cell {
    uint64_t threshold = 0;  // of 2^32: below it the cell stands for itself
    int32_t other = 0;
  };
  std::vector<Cell> cells_;
};

}  // namespace bouquet::training
