// Runs several searches together over a part of a table: strides of blocks that stay in the cache are read once for all of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/query_search.h"
#include "cpu_fallback/rank_table.h"

namespace bouquet::cpu {

// Every `step`-th block from `first` on.
struct BlockSlice {
  int64_t first = 0;
  int64_t step = 1;
};

// Scratch of one thread.
class TableScan {
 public:
  TableScan(const RankTable& table, int32_t max_searches);

  // All begun; afterwards each holds the best rows of the slice. [at most max_searches]
  void run(std::span<QuerySearch* const> searches, BlockSlice slice);

 private:
  void scan_group(std::span<QuerySearch* const> group, BlockSlice slice, int64_t begin, int64_t end);

  const RankTable& table_;
  std::vector<QuerySearch*> active_;
  std::vector<uint8_t> group_codes_;
};

}  // namespace bouquet::cpu
