// Which rows of a half-step are solved by which launch: a pure function of the rows' lengths and of d.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/row_systems.h"
#include "cuda/solve_rules.h"

namespace bouquet::cuda {

struct RowRange {
  int32_t first = 0;
  int32_t count = 0;
};

// Dual rows of one shape: one launch.
struct DualGroup {
  TileShape shape;
  RowRange rows;
};

// Long rows whose parts fit into the partial sums together.
struct LongWave {
  RowRange rows;
  int64_t first_part = 0;
  int32_t parts = 0;
  int64_t first_slot = 0;  // in first_slots, rows.count + 1 of them
};

struct HalfStepPlan {
  // Room for a plan of `most_rows` rows, none of them cut into parts: planning them then allocates nothing.
  void reserve(int32_t most_rows);

  std::vector<int32_t> rows;  // every row once; the ranges below are of this list, in this order. Longest first within a range
  int32_t row_count = 0;
  RowRange empty;
  RowRange dual;  // all dual groups together
  std::vector<DualGroup> dual_groups;
  RowRange direct;
  std::vector<LongWave> long_waves;
  std::vector<RowPart> parts;
  std::vector<int32_t> first_slots;
  int32_t slots = 0;  // partial sums needed at a time
};

// `offsets` [rows + 1]. At most `most_slots` (at least kMostParts) partial sums stand in memory at a time; 0: no row is cut into parts.
HalfStepPlan plan_half_step(std::span<const int64_t> offsets, int32_t d, int32_t most_slots);
// The same into `plan`, whose memory is used again.
void plan_half_step(std::span<const int64_t> offsets, int32_t d, int32_t most_slots, HalfStepPlan& plan);

// How many partial sums may stand in memory at a time: 256 MB of them, or kMostParts if those are larger.
int32_t most_partial_sums(int32_t d);

}  // namespace bouquet::cuda
