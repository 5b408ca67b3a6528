// The rules and plans of the device's solvers: pure functions.
#include "cuda/solve_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cuda/factor_array.h"
#include "cuda/half_step_plan.h"

namespace bouquet::cuda {
namespace {

TEST(TileShape, HoldsTheWholeTriangleInOneBlock) {
  for (int32_t n = 1; n <= kLargestTiledSystem; ++n) {
    const TileShape shape = tile_shape(n);
    const int32_t tiles = shape.tiles() * (shape.tiles() + 1) / 2;
    EXPECT_GE(shape.size, n);
    EXPECT_LT(shape.size, n + shape.tile);
    EXPECT_GE(shape.threads * shape.per_thread, tiles) << n;
    EXPECT_GE(2 * shape.threads, shape.size) << n;  // each thread sums at most two numbers of the right side
    EXPECT_LE(shape.threads, 256) << n;
    EXPECT_EQ(shape.threads % 32, 0) << n;
  }
}

TEST(TileShape, ChangesWhereItIsDocumented) {
  EXPECT_EQ(tile_shape(64).tile, 4);
  EXPECT_EQ(tile_shape(65).tile, 8);
  EXPECT_EQ(tile_shape(176).per_thread, 1);
  EXPECT_EQ(tile_shape(177).per_thread, 2);
  EXPECT_EQ(tile_shape(248).tile, 8);
  EXPECT_EQ(tile_shape(249), (TileShape{.tile = 12, .per_thread = 1, .threads = 256, .size = 252}));
  EXPECT_EQ(tile_shape(kLargestTiledSystem).size, 264);
}

TEST(LongestDualRow, IsWhereTheDualStopsBeingCheaper) {
  EXPECT_EQ(longest_dual_row(31), 0);
  for (const int32_t d : {32, 64, 128, 200}) {
    EXPECT_GT(longest_dual_row(d), d / 2) << d;
    EXPECT_LT(longest_dual_row(d), d) << d;
  }
  EXPECT_EQ(longest_dual_row(1024), kLongestDualRow);
}

TEST(RowParts, CoverTheRowInOrderAndEvenly) {
  for (const int64_t pairs : {int64_t{1}, kLongRow, kLongRow + 1, int64_t{100'003}, int64_t{5'000'000'007}}) {
    const int32_t parts = part_count(pairs);
    EXPECT_EQ(parts > 1, pairs > kLongRow);
    EXPECT_LE(parts, kMostParts);
    EXPECT_EQ(part_begin(pairs, parts, 0), 0);
    EXPECT_EQ(part_begin(pairs, parts, parts), pairs);
    for (int32_t p = 0; p < parts; ++p) {
      const int64_t length = part_begin(pairs, parts, p + 1) - part_begin(pairs, parts, p);
      EXPECT_GE(length, pairs / parts);
      EXPECT_LE(length, pairs / parts + 1);
    }
  }
}

// More pairs and more matrix elements than 32 bits count: nothing is allocated here but the offsets.
TEST(IndexArithmetic, GoesBeyond32Bits) {
  EXPECT_EQ(FactorArray::bytes(int64_t{1} << 31, 1023), (int64_t{1} << 31) * 1024 * 4);
  EXPECT_EQ(system_floats(1024), int64_t{36} * 128 * 128);
  // Twenty rows of 300 million pairs.
  std::vector<int64_t> offsets{0};
  for (int i = 0; i < 20; ++i) offsets.push_back(offsets.back() + 300'000'000);
  const HalfStepPlan plan = plan_half_step(offsets, 128, 64);
  EXPECT_EQ(plan.parts.size(), 20u * kMostParts);
  EXPECT_EQ(plan.long_waves.size(), 10u);
  EXPECT_EQ(plan.slots, 64);
  int64_t pairs = 0;
  for (const RowPart& part : plan.parts) {
    EXPECT_GE(part.begin, offsets[static_cast<size_t>(part.row)]);
    EXPECT_LE(part.begin + part.count, offsets[static_cast<size_t>(part.row) + 1]);
    pairs += part.count;
  }
  EXPECT_EQ(pairs, offsets.back());
  EXPECT_GT(plan.parts.back().begin, int64_t{1} << 31);
}

TEST(HalfStepPlan, TakesEveryRowOnceByTheWayThatItsLengthSays) {
  constexpr int32_t kD = 64;
  const int32_t dual = longest_dual_row(kD);
  const std::vector<int64_t> lengths{5, 0, dual, dual + 1, kLongRow, kLongRow + 1, 1, 0, 40, 3 * kLongRow, 41};
  std::vector<int64_t> offsets{0};
  for (const int64_t length : lengths) offsets.push_back(offsets.back() + length);
  const HalfStepPlan plan = plan_half_step(offsets, kD, kMostParts);
  std::vector<int32_t> rows = plan.rows;
  std::ranges::sort(rows);
  for (int32_t r = 0; r < static_cast<int32_t>(lengths.size()); ++r) EXPECT_EQ(rows[static_cast<size_t>(r)], r);
  EXPECT_EQ(plan.empty.count, 2);
  EXPECT_EQ(plan.dual.count, 5);
  EXPECT_EQ(plan.direct.count, 2);
  int32_t grouped = 0, at = plan.dual.first;
  for (const DualGroup& group : plan.dual_groups) {
    EXPECT_EQ(group.rows.first, at);
    for (int32_t i = 0; i < group.rows.count; ++i)
      EXPECT_EQ(tile_shape(static_cast<int32_t>(lengths[static_cast<size_t>(plan.rows[static_cast<size_t>(at + i)])])), group.shape);
    at += group.rows.count;
    grouped += group.rows.count;
  }
  EXPECT_EQ(grouped, plan.dual.count);
  int32_t in_waves = 0;
  for (const LongWave& wave : plan.long_waves) {
    in_waves += wave.rows.count;
    const auto first = plan.first_slots.begin() + wave.first_slot;
    EXPECT_EQ(first[0], 0);
    EXPECT_EQ(first[wave.rows.count], wave.parts);
    EXPECT_LE(wave.parts, plan.slots);
  }
  EXPECT_EQ(in_waves, 2);
}

TEST(HalfStepPlan, WithoutPartsLongRowsAreDirect) {
  const std::vector<int64_t> offsets{0, 2 * kLongRow, 2 * kLongRow + 3};
  const HalfStepPlan plan = plan_half_step(offsets, 16, 0);
  EXPECT_EQ(plan.direct.count, 2);
  EXPECT_TRUE(plan.long_waves.empty());
  EXPECT_EQ(plan.slots, 0);
}

}  // namespace
}  // namespace bouquet::cuda
