// Sparse attribute columns turned, so that a column finds its rows: cut into segments, each summed by a block of its own. A pure function
// of the attributes, on the host.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/attribute_rows.h"

namespace bouquet::cuda {

inline constexpr int64_t kSegmentEntries = 1024;  // at most, of a segment

// Some of a column's entries. A column in one segment, which may be empty, has no slot: its sum is the column's.
struct SparseSegment {
  int64_t begin = 0;
  int32_t count = 0;
  int32_t column = 0;  // counted from the first sparse one
  int32_t slot = -1;   // where its partial sum stands
};

// A column in several segments: slots [first_slot, first_slot + slots), in order.
struct SplitColumn {
  int32_t column = 0;
  int32_t first_slot = 0;
  int32_t slots = 0;
};

struct SparseSegments {
  std::vector<int64_t> begins;  // [sparse columns + 1] where a column's entries begin
  std::vector<SparseSegment> segments;
  std::vector<SplitColumn> splits;
  int32_t slots = 0;

  int64_t column_count() const { return static_cast<int64_t>(begins.size()) - 1; }
};

SparseSegments plan_segments(const AttributeRows& rows);

// The entries column by column, rows ascending within one: of which row, and its value times the row's weight.
struct TurnedEntries {
  std::vector<int32_t> rows;
  std::vector<double> values;
};
TurnedEntries turn_entries(const AttributeRows& rows, std::span<const double> weights, const SparseSegments& plan);

}  // namespace bouquet::cuda
