// Systems of more than kLargestTiledSystem unknowns: one block per row, its factor in global memory as squares of 128 x 128. Each square
// is a block's registers' worth: what is left of it is subtracted, what it sums up is gathered, then it is factorized or solved.
#include <algorithm>

#include "cuda/launch.h"
#include "cuda/pair_gather.h"
#include "cuda/register_tiles.h"
#include "cuda/row_systems.h"
#include "engine/model.h"

namespace bouquet::cuda {
namespace {

constexpr int B = 8;
constexpr int W = kMacroTile;
constexpr int kSide = kMacroTile / B;  // tiles along a square
constexpr int kStride = RowLayout<B, W>::kStride;
constexpr int kThreads = kSide * kSide;
constexpr int kSquare = kMacroTile * kMacroTile;
using Gather = GatherMemory<B, W, 2>;
constexpr int32_t kMostBlocks = 256;  // each needs a factor's worth of workspace
using Tiles = RegisterTiles<B, 1>;

struct LargeArguments : SystemArguments {  // the size is a multiple of kMacroTile
  float* workspace;
};

// Square (I, J), J <= I, of a lower triangle.
__device__ __forceinline__ int square_index(int i, int j) { return i * (i + 1) / 2 + j; }

// Squares in global memory have no gaps: the second fours of every 8 columns follow the first.
__device__ __forceinline__ int position_of(int j) { return ((j >> 2) & 1) * (kMacroTile / 2) + (j >> 3) * 4 + (j & 3); }
// Where four neighbouring floats of a row of a square go in shared memory, and which columns they are.
__device__ __forceinline__ int shared_of(int four) { return four < 16 ? 4 * four : RowLayout<B, W>::kPart + 4 * (four - 16); }
__device__ __forceinline__ int column_of(int four) { return four < 16 ? 8 * four : 8 * (four - 16) + 4; }

// L of the row that the block is at. Square (I, J) holds the transpose: row c has column 128 J + c of L, in the order of position_of().
struct Factor {
  float* squares;
  __device__ __forceinline__ float* at(int i, int j) const { return squares + int64_t{square_index(i, j)} * kSquare; }
};

struct LargeMemory {
  Gather gather;
  CholeskyScratch<B> scratch;  // its right side has all unknowns; its panel, and `diagonal`, take the place of gathered rows
  float* diagonal;             // [2][B] rows: columns of L of the square on the diagonal

  __host__ __device__ static constexpr int floats(int size) { return Gather::kFloats + B * B + size + 4; }
  __device__ __forceinline__ static LargeMemory at(float* memory, int size) {
    float* pivot = memory + Gather::kFloats;
    float* right = pivot + B * B;
    return {Gather::at(memory), {memory, pivot, right, reinterpret_cast<int*>(right + size)}, memory + B * kStride};
  }
  __device__ __forceinline__ CholeskyScratch<B> scratch_of(int square) const {
    CholeskyScratch<B> moved = scratch;
    moved.right += square * kMacroTile;
    return moved;
  }
};

static_assert(LargeMemory::floats(kMaxDimension) * sizeof(float) <= kMostSharedBytes);

// tiles -= the products of the columns of L to the left of square (I, J). A barrier must follow before `memory` is written again.
__device__ __forceinline__ void subtract_factor(Tiles& tiles, const Factor& factor, int i, int j, float* memory) {
  constexpr int kRows = kGatherRows, kFours = kRows * kMacroTile / 4;
  float* const left = memory;
  float* const right = memory + kRows * kStride;
  for (int k = 0; k < j * kMacroTile; k += kRows) {
    const int at = k % kMacroTile * kMacroTile;
    const float* from_left = factor.at(i, k / kMacroTile) + at;
    const float* from_right = factor.at(j, k / kMacroTile) + at;
    __syncthreads();
    for (int e = threadIdx.x; e < kFours; e += kThreads) {
      const int to = e / 32 * kStride + shared_of(e % 32);
      *reinterpret_cast<float4*>(left + to) = *reinterpret_cast<const float4*>(from_left + 4 * e);
      *reinterpret_cast<float4*>(right + to) = *reinterpret_cast<const float4*>(from_right + 4 * e);
    }
    __syncthreads();
    if (tiles.exists(0)) add_outer_products<Sign::kSubtract, kRows, W, 2>(tiles.value[0], tiles.row[0], tiles.column[0], left, right);
  }
}

// tiles += sum of c y yᵀ; right, of thread t < 128: += sum of c r y at column 128 I + t, where I == J.
__device__ __forceinline__ void add_pairs(Tiles& tiles, float& right, const LargeArguments& a, int64_t begin, int count, int i, int j,
                                          const Gather& memory) {
  const GatherColumns columns = {kMacroTile, i == j ? 1 : 2, {i * kMacroTile, j * kMacroTile}};
  gather_pairs(a.pairs, a.source, begin, count, memory, columns, [&](const float* rows, const float* gains) {
    if (tiles.exists(0))
      add_outer_products<Sign::kAdd, kGatherRows, W, 2>(tiles.value[0], tiles.row[0], tiles.column[0], rows,
                                                        rows + (i == j ? 0 : Gather::kBlock));
    if (i == j && threadIdx.x < kMacroTile)
#pragma unroll
      for (int k = 0; k < kGatherRows; ++k) right += gains[k] * rows[k * kStride + position<B, W>(static_cast<int>(threadIdx.x))];
  });
}

__device__ __forceinline__ int64_t partial_index(int64_t slot, int squares, int square, int element) {
  return ((slot * squares + square) * (B * B) + element) * kThreads + threadIdx.x;
}
__device__ __forceinline__ int squares_of(int size) { return square_index(size / kMacroTile, 0); }

__device__ __forceinline__ void add_parts(Tiles& tiles, float& right, const LargeArguments& a, int32_t first, int32_t last, int i, int j) {
  for (int64_t slot = first; slot < last; ++slot) {
    if (tiles.exists(0))
#pragma unroll
      for (int e = 0; e < B * B; ++e)
        tiles.value[0][e / B][e % B] += a.sums.sums[partial_index(slot, squares_of(a.size), square_index(i, j), e)];
    if (i == j && threadIdx.x < kMacroTile) right += a.sums.rights[slot * a.size + i * kMacroTile + threadIdx.x];
  }
}

__device__ __forceinline__ void add_shared_matrix(Tiles& tiles, const float* matrix, float ridge, int size, int i, int j) {
  if (!tiles.exists(0)) return;
#pragma unroll
  for (int r = 0; r < B; ++r)
#pragma unroll
    for (int c = 0; c < B; ++c)
      tiles.value[0][r][c] += matrix[int64_t{i * kMacroTile + B * tiles.row[0] + r} * size + j * kMacroTile + B * tiles.column[0] + c];
  if (i == j && tiles.row[0] == tiles.column[0])
#pragma unroll
    for (int r = 0; r < B; ++r) tiles.value[0][r][r] += ridge;
}

// Writes a square of L, or reads one that has been written.
__device__ __forceinline__ void store_square(const Tiles& tiles, float* square) {
  if (!tiles.exists(0)) return;
#pragma unroll
  for (int c = 0; c < B; ++c) {
    float out[B];
#pragma unroll
    for (int r = 0; r < B; ++r) out[r] = tiles.value[0][r][c];
    float* to = square + (B * tiles.column[0] + c) * kMacroTile + 4 * tiles.row[0];
    *reinterpret_cast<float4*>(to) = make_float4(out[0], out[1], out[2], out[3]);
    *reinterpret_cast<float4*>(to + kMacroTile / 2) = make_float4(out[4], out[5], out[6], out[7]);
  }
}
__device__ __forceinline__ void load_square(Tiles& tiles, const float* square) {
  if (!tiles.exists(0)) return;
#pragma unroll
  for (int c = 0; c < B; ++c) {
    const float* from = square + (B * tiles.column[0] + c) * kMacroTile + 4 * tiles.row[0];
    const float4 low = *reinterpret_cast<const float4*>(from);
    const float4 high = *reinterpret_cast<const float4*>(from + kMacroTile / 2);
    const float in[B] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
    for (int r = 0; r < B; ++r) tiles.value[0][r][c] = in[r];
  }
}

// A square below the diagonal: A := A L⁻ᵀ for the square L above it on the diagonal, and right_I -= A y_J. A barrier must follow.
__device__ __forceinline__ void solve_below_diagonal(Tiles& tiles, const float* diagonal, const LargeMemory& memory, int i, int j) {
  const CholeskyScratch<B>& s = memory.scratch;
  const int own = static_cast<int>(threadIdx.x);
  for (int p = 0; p < kSide; ++p) {
    float* const columns = memory.diagonal + p % 2 * B * kStride;
    const float* from = diagonal + B * p * kMacroTile;
    for (int e = own; e < B * kMacroTile / 4; e += kThreads) {
      if (e % kSide < p) continue;  // above the diagonal: nobody has written it, and nobody reads it
      *reinterpret_cast<float4*>(columns + e / 32 * kStride + shared_of(e % 32)) = *reinterpret_cast<const float4*>(from + 4 * e);
    }
    if (own < B * B) {
      const int r = own / B, c = own % B;
      const float value = from[c * kMacroTile + position_of(B * p + r)];
      s.pivot[own] = r == c ? 1 / value : value;
    }
    __syncthreads();
    if (tiles.column[0] == p) solve_below<W>(tiles.value[0], tiles.row[0], s);
    __syncthreads();
    if (tiles.column[0] > p) add_outer_products<Sign::kSubtract, B, W, 2>(tiles.value[0], tiles.row[0], tiles.column[0], s.panel, columns);
    if (own < kMacroTile) {
      float right = s.right[i * kMacroTile + own];
#pragma unroll
      for (int c = 0; c < B; ++c) right -= s.panel[c * kStride + position<B, W>(own)] * s.right[j * kMacroTile + B * p + c];
      s.right[i * kMacroTile + own] = right;
    }
  }
}

// The unknowns of square column J, those after it being known.
__device__ __forceinline__ void solve_column_back(const Factor& factor, const LargeMemory& memory, int squares, int j) {
  const int lane = threadIdx.x % 32;
  float* const right = memory.scratch.right;
  for (int c = threadIdx.x / 32; j + 1 < squares && c < kMacroTile; c += kThreads / 32) {
    float sum = 0;
    for (int i = j + 1; i < squares; ++i) {
      const float4 l = *reinterpret_cast<const float4*>(factor.at(i, j) + c * kMacroTile + 4 * lane);
      const float4 x = *reinterpret_cast<const float4*>(right + i * kMacroTile + column_of(lane));
      sum += l.x * x.x + l.y * x.y + l.z * x.z + l.w * x.w;
    }
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, step);
    if (lane == 0) right[j * kMacroTile + c] -= sum;
  }
  __syncthreads();
  Tiles tiles;
  tiles.take_square(kSide, false);
  load_square(tiles, factor.at(j, j));
  solve_back(tiles, kSide, memory.scratch_of(j));
}

__device__ __forceinline__ void write_factor(const Factor& factor, float* to, int d) {
  for (int64_t e = threadIdx.x; e < int64_t{d} * d; e += kThreads) {
    const int r = static_cast<int>(e / d), c = static_cast<int>(e % d);
    to[e] = c > r ? 0 : factor.at(r / kMacroTile, c / kMacroTile)[c % kMacroTile * kMacroTile + position_of(r % kMacroTile)];
  }
}

__device__ __forceinline__ void solve_row(const LargeArguments& a, int at, const Factor& factor, const LargeMemory& memory) {
  const int32_t row = a.rows.rows[at];
  const int64_t begin = a.pairs.offsets[row];
  const auto count = static_cast<int>(a.pairs.offsets[row + 1] - begin);
  const int squares = a.size / kMacroTile, own = static_cast<int>(threadIdx.x);
  for (int e = own; e < a.size; e += kThreads) memory.scratch.right[e] = 0;
  if (own == 0) *memory.scratch.broken = 0;
  for (int j = 0; j < squares; ++j)
    for (int i = j; i < squares; ++i) {
      Tiles tiles;
      tiles.take_square(kSide, i != j);
      tiles.clear();
      subtract_factor(tiles, factor, i, j, memory.gather.rows);
      float right = 0;
      if (a.first_slots == nullptr)
        add_pairs(tiles, right, a, begin, count, i, j, memory.gather);
      else
        add_parts(tiles, right, a, a.first_slots[at], a.first_slots[at + 1], i, j);
      add_shared_matrix(tiles, a.source.shared_matrix, static_cast<float>(a.pairs.ridges[row]), a.size, i, j);
      if (i == j && own < kMacroTile) {
        const int e = i * kMacroTile + own;
        if (a.pairs.means != nullptr && e < a.source.dimension)
          right += static_cast<float>(a.pairs.ridges[row]) * a.pairs.means[int64_t{row} * a.source.stride + e];
        memory.scratch.right[e] += right;
      }
      __syncthreads();
      if (i == j)
        factorize<W>(tiles, kSide, memory.scratch_of(j));
      else
        solve_below_diagonal(tiles, factor.at(j, j), memory, i, j);
      store_square(tiles, factor.at(i, j));  // seen by all after the next barrier: the next square's, or the first of the way back
    }
  for (int j = squares - 1; j >= 0; --j) solve_column_back(factor, memory, squares, j);

  const int d = a.source.dimension;
  if (*memory.scratch.broken != 0) {
    if (own == 0) atomicMin(a.out.failed, row);
  } else {
    if (a.out.solved != nullptr)
      for (int e = own; e < d; e += kThreads) a.out.solved[row * a.out.stride + e] = memory.scratch.right[e];
    if (a.out.cholesky != nullptr) write_factor(factor, a.out.cholesky + int64_t{row - a.out.first_row} * d * d, d);
  }
  __syncthreads();
}

// One block: rows blockIdx.x, + gridDim.x, ... Floor: pairs (d² / 2 + d) + d³ / 6 multiply-adds at the device's FP32 rate; squares on the
// diagonal and d past a multiple of 128 cost as much as full ones. Shared memory: 42 KiB at d = 256, 45 at 1,024.
__global__ void __launch_bounds__(kThreads) solve_large_kernel(const LargeArguments a) {
  const LargeMemory memory = LargeMemory::at(dynamic_shared<float>(), a.size);
  const Factor factor = {a.workspace + int64_t{blockIdx.x} * squares_of(a.size) * kSquare};
  for (int at = static_cast<int>(blockIdx.x); at < a.rows.count; at += static_cast<int>(gridDim.x)) solve_row(a, at, factor, memory);
}

// One block: one square of one part of a long row.
__global__ void __launch_bounds__(kThreads) sum_large_parts_kernel(const LargeArguments a, const RowPart* parts) {
  const RowPart part = parts[blockIdx.x];
  const int square = static_cast<int>(blockIdx.y);
  int i = 0;
  while (square_index(i + 1, 0) <= square) ++i;
  const int j = square - square_index(i, 0);
  Tiles tiles;
  tiles.take_square(kSide, i != j);
  tiles.clear();
  float right = 0;
  add_pairs(tiles, right, a, part.begin, part.count, i, j, Gather::at(dynamic_shared<float>()));
  if (tiles.exists(0))
#pragma unroll
    for (int e = 0; e < B * B; ++e) a.sums.sums[partial_index(part.slot, squares_of(a.size), square, e)] = tiles.value[0][e / B][e % B];
  if (i == j && threadIdx.x < kMacroTile) a.sums.rights[int64_t{part.slot} * a.size + i * kMacroTile + threadIdx.x] = right;
}

}  // namespace

int32_t large_blocks(int32_t rows) { return std::min(rows, kMostBlocks); }

void solve_large(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                 const LargeWorkspace& workspace, const Stream& stream) {
  solve_large_from_parts(pairs, source, rows, nullptr, {}, out, workspace, stream);
}

void solve_large_from_parts(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const int32_t* first_slots,
                            const PartialSums& sums, const DeviceSolutions& out, const LargeWorkspace& workspace, const Stream& stream) {
  if (rows.count == 0) return;
  const int size = system_size(source.dimension);
  launch<solve_large_kernel>(
      stream,
      {dim3(static_cast<unsigned>(std::min(rows.count, workspace.blocks))), dim3(kThreads), LargeMemory::floats(size) * sizeof(float)},
      {{pairs, source, rows, out, sums, first_slots, size}, workspace.floats});
}

void sum_large_parts(const DevicePairs& pairs, const DeviceSource& source, const RowPart* parts, int32_t count, const PartialSums& sums,
                     const Stream& stream) {
  if (count == 0) return;
  const int size = system_size(source.dimension), side = size / kMacroTile;
  launch<sum_large_parts_kernel>(
      stream,
      {dim3(static_cast<unsigned>(count), static_cast<unsigned>(side * (side + 1) / 2)), dim3(kThreads), Gather::kFloats * sizeof(float)},
      {{pairs, source, {}, {}, sums, nullptr, size}, nullptr}, parts);
}

}  // namespace bouquet::cuda
