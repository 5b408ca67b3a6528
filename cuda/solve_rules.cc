#include "cuda/solve_rules.h"

#include <algorithm>

namespace bouquet::cuda {
namespace {

constexpr int32_t kLeastDualDimension = 32;
constexpr int32_t kSmallTiles = 64;        // unknowns up to which 4 x 4 tiles spread the work better
constexpr int32_t kLargestTwoTiles = 248;  // unknowns up to which tiles of 8 x 8 do, at most two a thread
constexpr int32_t kOneTileThreads = 256;   // above this a thread takes two tiles

int32_t rounded_up(int32_t value, int32_t multiple) { return (value + multiple - 1) / multiple * multiple; }

int64_t triangle(int64_t side) { return side * (side + 1) / 2; }

// Multiply-adds. Direct: the Gram matrix of m rows and a Cholesky factorization of d. Dual: one of m rows by d columns, a factorization
// of m, the combination of m rows and the rotation back.
int64_t direct_cost(int64_t m, int64_t d) { return m * d * d / 2 + d * d * d / 6; }
int64_t dual_cost(int64_t m, int64_t d) { return m * m * d / 2 + m * m * m / 6 + m * d + d * d; }

}  // namespace

TileShape tile_shape(int32_t n) {
  TileShape shape;
  shape.tile = n <= kSmallTiles ? 4 : n <= kLargestTwoTiles ? 8 : 12;
  shape.size = rounded_up(n, shape.tile);
  const auto tiles = static_cast<int32_t>(triangle(shape.tiles()));
  shape.per_thread = tiles <= kOneTileThreads ? 1 : 2;
  shape.threads = rounded_up((tiles + shape.per_thread - 1) / shape.per_thread, 32);
  return shape;
}

int32_t longest_dual_row(int32_t d) {
  if (d < kLeastDualDimension) return 0;
  int32_t m = 0;
  while (m < kLongestDualRow && dual_cost(m + 1, d) < direct_cost(m + 1, d)) ++m;
  return m;
}

int32_t part_count(int64_t pairs) {
  if (pairs <= kLongRow) return 1;
  return static_cast<int32_t>(std::min<int64_t>(kMostParts, (pairs + kPartPairs - 1) / kPartPairs));
}

int32_t system_size(int32_t d) { return d <= kLargestTiledSystem ? tile_shape(d).size : rounded_up(d, kMacroTile); }

int64_t system_floats(int32_t d) {
  if (d > kLargestTiledSystem) return triangle(system_size(d) / kMacroTile) * kMacroTile * kMacroTile;
  const TileShape shape = tile_shape(d);
  return triangle(shape.tiles()) * shape.tile * shape.tile;
}

}  // namespace bouquet::cuda
