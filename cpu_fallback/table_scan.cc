#include "cpu_fallback/table_scan.h"

#include <algorithm>

namespace bouquet::cpu {
namespace {

constexpr int64_t kStrideBytes = 128 * 1024;  // of codes: stays in the second-level cache while all groups pass over it

}  // namespace

TableScan::TableScan(const RankTable& table, int32_t max_searches) : table_(table) {
  active_.reserve(static_cast<size_t>(max_searches));
  group_codes_.resize(static_cast<size_t>(table.shape.padded_dimension) * kGroup);
}

void TableScan::run(std::span<QuerySearch* const> searches, BlockSlice slice) {
  active_.assign(searches.begin(), searches.end());
  const int64_t slice_blocks = (table_.block_count() - slice.first + slice.step - 1) / slice.step;
  const int64_t longest = std::max<int64_t>(1, kStrideBytes / table_.shape.block_bytes());
  int64_t length = 1;  // the first strides are short: thresholds rise fastest there
  for (int64_t begin = 0; begin < slice_blocks; begin += length, length = std::min(2 * length, longest)) {
    const int64_t end = std::min(begin + length, slice_blocks);
    // Norms descend with the blocks: who cannot reach this one is done.
    const double norm = table_.blocks[static_cast<size_t>(slice.first + begin * slice.step)].norm;
    std::erase_if(active_, [&](QuerySearch* s) {
      s->meet_others();
      return !s->can_reach(norm);
    });
    if (active_.empty()) break;
    const size_t groups = (active_.size() + kGroup - 1) / kGroup;
    for (size_t g = 0; g < groups; ++g) {  // of sizes that differ by one at most
      const size_t from = g * active_.size() / groups, to = (g + 1) * active_.size() / groups;
      scan_group({active_.data() + from, to - from}, slice, begin, end);
    }
    if (length < longest)
      for (QuerySearch* s : active_) s->score_found();
  }
  for (QuerySearch* s : searches) s->score_found();
}

void TableScan::scan_group(std::span<QuerySearch* const> group, BlockSlice slice, int64_t begin, int64_t end) {
  const auto count = static_cast<int>(group.size());
  ScanQuery queries[kGroup];
  for (int q = 0; q < count; ++q) {
    pack_query(group[static_cast<size_t>(q)]->codes(), q, count, group_codes_.data());
    queries[q].found = group[static_cast<size_t>(q)]->found();
  }
  for (int64_t i = begin; i < end; ++i) {
    const int64_t b = slice.first + i * slice.step;
    const RankBlock& block = table_.blocks[static_cast<size_t>(b)];
    for (int q = 0; q < count; ++q) {
      queries[q].threshold = group[static_cast<size_t>(q)]->integer_threshold(block);
      queries[q].found_count = group[static_cast<size_t>(q)]->found_count();
    }
    scan_block({.shape = table_.shape,
                .codes = table_.codes.data() + b * table_.shape.block_bytes(),
                .sums = table_.sums.data() + b * table_.shape.block_sums(),
                .first_position = static_cast<int32_t>(b * kBlockRows),
                .query_codes = group_codes_.data(),
                .query_count = count,
                .queries = queries});
    for (int q = 0; q < count; ++q) {
      QuerySearch& search = *group[static_cast<size_t>(q)];
      if (queries[q].found_count == search.found_count()) continue;
      search.admit(queries[q].found_count);
      if (search.is_full()) search.score_found();
    }
  }
}

}  // namespace bouquet::cpu
