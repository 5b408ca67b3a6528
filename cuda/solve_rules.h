// How the system of one row is solved on the device: by which method, in how many parts, by how many threads with which tiles. Pure
// functions of the row's length and of d, so that training, fold-in, the memory table and the tests agree, and so that a row's bits do
// not depend on the rows beside it.
#pragma once

#include <cstdint>

namespace bouquet::cuda {

inline constexpr int32_t kLargestTiledSystem = 264;  // unknowns that fit into the registers of one block of 256 threads
inline constexpr int32_t kLongestDualRow = 248;      // pairs: one unknown each, of which shared memory holds more than of a direct system's
inline constexpr int32_t kMacroTile = 128;           // larger systems are cut into squares of this many unknowns
inline constexpr int64_t kLongRow = 8192;            // pairs; a longer row is cut into parts, each summed by a block of its own
inline constexpr int64_t kPartPairs = 4096;          // pairs of a part, while they are at most ...
inline constexpr int32_t kMostParts = 32;            // ... this many

// A system of n unknowns as a lower triangle of square tiles in registers.
struct TileShape {
  int32_t tile = 8;        // rows and columns of a tile: 4, 8 or 12
  int32_t per_thread = 1;  // tiles of a thread: 1 or 2
  int32_t threads = 32;    // of the block, whole warps
  int32_t size = 8;        // n rounded up to whole tiles

  int32_t tiles() const { return size / tile; }  // along one side
  friend bool operator==(const TileShape&, const TileShape&) = default;
};

// n from 1 to kLargestTiledSystem.
TileShape tile_shape(int32_t n);

// The longest row whose dual system (one unknown per pair, in the eigenbasis) costs fewer multiply-adds than the direct one (d unknowns);
// 0 where the basis would cost more than it saves. Never more than kLongestDualRow.
int32_t longest_dual_row(int32_t d);

// Into how many parts a row is cut for the sums of its direct system: 1 up to kLongRow pairs.
int32_t part_count(int64_t pairs);

// Part p of `parts` is pairs [part_begin(p), part_begin(p + 1)) of the row.
inline int64_t part_begin(int64_t pairs, int32_t parts, int32_t p) {
  return pairs / parts * p + (pairs % parts) * p / parts;  // no product that could pass 2^63
}

// Floats from one row of a factor table to the next: d rounded up, so that rows start at multiples of 16 bytes. The rest is zero.
inline int32_t row_stride(int32_t d) { return (d + 3) / 4 * 4; }

// Rows and columns of a direct system in memory: d rounded up to whole tiles.
int32_t system_size(int32_t d);

// Floats that hold the lower triangle of a direct system of d unknowns: whole tiles, in no order that anybody else may rely on.
int64_t system_floats(int32_t d);

}  // namespace bouquet::cuda
