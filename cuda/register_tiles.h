// A symmetric positive definite system held by one block in registers, as square tiles of its lower triangle, one or two per thread: how
// it is summed up from rows in shared memory, factorized and solved. Everything is unrolled, so that no tile ever leaves the registers.
//
// Rows in shared memory have the fours of every tile's columns apart (position()): the threads of a warp then read neighbouring 16 bytes,
// and no two of them meet in a bank. W is the width such a row has room for; that it is known to the compiler saves the registers of
// addresses. All functions are called by the whole block.
#pragma once

#include <cuda_runtime.h>

#include <cfloat>
#include <cstdint>

namespace bouquet::cuda {

// The lower triangle of tiles, column by column: the threads of a warp share their columns, and whole warps finish early.
template <int B, int R>
struct RegisterTiles {
  float value[R][B][B];
  int row[R], column[R];  // in tiles; row -1 where the thread has no tile

  __device__ __forceinline__ bool exists(int r) const { return row[r] >= 0; }

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int r = 0; r < R; ++r)
#pragma unroll
      for (int i = 0; i < B; ++i)
#pragma unroll
        for (int j = 0; j < B; ++j) value[r][i][j] = 0;
  }

  // Tiles of a triangle with `side` tiles along each side.
  __device__ __forceinline__ void take_triangle(int side) {
#pragma unroll
    for (int r = 0; r < R; ++r) {
      int rest = static_cast<int>(threadIdx.x + r * blockDim.x), j = 0;
      while (j < side && rest >= side - j) rest -= side - j++;
      column[r] = j;
      row[r] = j < side ? j + rest : -1;
    }
  }

  // Tiles of a full square of `side` tiles; above the diagonal only where `full`.
  __device__ __forceinline__ void take_square(int side, bool full) {
    static_assert(R == 1);
    column[0] = static_cast<int>(threadIdx.x) % side;
    row[0] = static_cast<int>(threadIdx.x) / side;
    if (!full && row[0] < column[0]) row[0] = -1;
  }
};

// How a row of up to W columns lies in shared memory. With tiles of 8 or 12 the fours of every 8 or 12 columns stand `kPart` apart: half a
// cycle through the 32 banks past a whole number of them, or 12 banks where there are three, so that copies of whole rows do not meet
// either.
template <int B, int W>
struct RowLayout {
  static constexpr int kFours = B / 4;
  static constexpr int kPast = B == 12 ? 12 : 16;
  static constexpr int kPart = B == 4 ? 0 : (W / kFours + 31 - kPast) / 32 * 32 + kPast;
  static constexpr int kStride = B == 4 ? W : kFours * kPart;  // floats from row to row
  static_assert(B % 4 == 0 && (B == 4 || kPart >= W / kFours));
};

// Where column j of a row stands.
template <int B, int W>
__device__ __forceinline__ int position(int j) {
  if constexpr (B == 4) return j;
  return j / 4 % RowLayout<B, W>::kFours * RowLayout<B, W>::kPart + j / B * 4 + j % 4;
}

// The B columns of tile t.
template <int B, int W>
__device__ __forceinline__ void load_columns(float (&to)[B], const float* row, int t) {
#pragma unroll
  for (int h = 0; h < B / 4; ++h) {
    const float4 four = *reinterpret_cast<const float4*>(row + h * RowLayout<B, W>::kPart + 4 * t);
    to[4 * h] = four.x;
    to[4 * h + 1] = four.y;
    to[4 * h + 2] = four.z;
    to[4 * h + 3] = four.w;
  }
}

template <int B, int W>
__device__ __forceinline__ void store_columns(const float (&from)[B], float* row, int t) {
#pragma unroll
  for (int h = 0; h < B / 4; ++h)
    *reinterpret_cast<float4*>(row + h * RowLayout<B, W>::kPart + 4 * t) =
        make_float4(from[4 * h], from[4 * h + 1], from[4 * h + 2], from[4 * h + 3]);
}

enum class Sign { kAdd, kSubtract };

// One tile += or -= leftᵀ right over `Count` rows of shared memory.
template <Sign kSign, int Count, int W, int kUnrolled, int B>
__device__ __forceinline__ void add_outer_products(float (&value)[B][B], int row, int column, const float* left, const float* right) {
  constexpr int kStride = RowLayout<B, W>::kStride;
#pragma unroll kUnrolled
  for (int k = 0; k < Count; ++k) {
    float a[B], b[B];
    load_columns<B, W>(a, left + k * kStride, row);
    load_columns<B, W>(b, right + k * kStride, column);
#pragma unroll
    for (int i = 0; i < B; ++i)
#pragma unroll
      for (int j = 0; j < B; ++j) value[i][j] += (kSign == Sign::kAdd ? a[i] : -a[i]) * b[j];
  }
}

// What factorize() and the solves share.
template <int B>
struct CholeskyScratch {
  float* panel;  // [B] rows: the columns of L that were found last
  float* pivot;  // [B][B]: the tile of L on the diagonal, the inverses of its diagonal on the diagonal
  float* right;  // [unknowns]: the right side, then y = L⁻¹ right, then the solution
  int* broken;   // set where a pivot is not positive; 0 before
};

// Cholesky factorization of one tile in place, below and on the diagonal. False: a pivot is not positive and finite.
template <int B>
__device__ __forceinline__ bool factorize_tile(float (&a)[B][B], float (&inverse)[B]) {
  bool fine = true;
#pragma unroll
  for (int c = 0; c < B; ++c) {
    fine = fine && a[c][c] > 0 && a[c][c] <= FLT_MAX;
    a[c][c] = sqrtf(a[c][c]);
    inverse[c] = 1 / a[c][c];
#pragma unroll
    for (int r = c + 1; r < B; ++r) a[r][c] *= inverse[c];
#pragma unroll
    for (int j = c + 1; j < B; ++j)
#pragma unroll
      for (int r = j; r < B; ++r) a[r][j] -= a[r][c] * a[j][c];
  }
  return fine;
}

// The owner of a tile on the diagonal: factorizes it, publishes it and solves its rows of the right side.
template <int B>
__device__ __forceinline__ void solve_diagonal(float (&a)[B][B], int p, const CholeskyScratch<B>& scratch) {
  float inverse[B], y[B];
  if (!factorize_tile<B>(a, inverse)) *scratch.broken = 1;
#pragma unroll
  for (int c = 0; c < B; ++c) {
    y[c] = scratch.right[B * p + c];
#pragma unroll
    for (int e = 0; e < c; ++e) y[c] -= a[c][e] * y[e];
    y[c] *= inverse[c];
#pragma unroll
    for (int e = 0; e < B; ++e) scratch.pivot[B * c + e] = e < c ? a[c][e] : e == c ? inverse[c] : 0;
    scratch.right[B * p + c] = y[c];
  }
}

// A tile below the diagonal: a := a L⁻ᵀ for the published tile L, and publishes it.
template <int W, int B>
__device__ __forceinline__ void solve_below(float (&a)[B][B], int row, const CholeskyScratch<B>& scratch) {
#pragma unroll
  for (int c = 0; c < B; ++c) {
    float pivot[B], out[B];
#pragma unroll
    for (int h = 0; h < B / 4; ++h) {
      const float4 four = *reinterpret_cast<const float4*>(scratch.pivot + B * c + 4 * h);
      pivot[4 * h] = four.x;
      pivot[4 * h + 1] = four.y;
      pivot[4 * h + 2] = four.z;
      pivot[4 * h + 3] = four.w;
    }
#pragma unroll
    for (int i = 0; i < B; ++i) {
#pragma unroll
      for (int e = 0; e < c; ++e) a[i][c] -= a[i][e] * pivot[e];
      a[i][c] *= pivot[c];
      out[i] = a[i][c];
    }
    store_columns<B, W>(out, scratch.panel + c * RowLayout<B, W>::kStride, row);
  }
}

// right[B row + i] -= the published columns of L times y of tile p.
template <int W, int B>
__device__ __forceinline__ void subtract_from_right(int row, int p, const CholeskyScratch<B>& scratch) {
#pragma unroll
  for (int c = 0; c < B; ++c) {
    float below[B];
    load_columns<B, W>(below, scratch.panel + c * RowLayout<B, W>::kStride, row);
#pragma unroll
    for (int i = 0; i < B; ++i) scratch.right[B * row + i] -= below[i] * scratch.right[B * p + c];
  }
}

// Tiles hold W; after it they hold L with W = L Lᵀ, and scratch.right L⁻¹ times what it held. Right-looking, one column of tiles at a
// time; two barriers each, and nothing is left to do after the last one's. What scratch.right and scratch.broken hold before must be
// visible to the block; what stands in the panel's place may be read until then: the first barrier is before the first column.
template <int W, int B, int R>
__device__ __forceinline__ void factorize(RegisterTiles<B, R>& tiles, int side, const CholeskyScratch<B>& scratch) {
  for (int p = 0; p < side; ++p) {
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.row[r] == p && tiles.column[r] == p) solve_diagonal<B>(tiles.value[r], p, scratch);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.row[r] > p && tiles.column[r] == p) solve_below<W>(tiles.value[r], tiles.row[r], scratch);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < R; ++r) {
      if (!tiles.exists(r) || tiles.column[r] <= p) continue;
      add_outer_products<Sign::kSubtract, B, W, 1>(tiles.value[r], tiles.row[r], tiles.column[r], scratch.panel, scratch.panel);
      if (tiles.row[r] == tiles.column[r]) subtract_from_right<W>(tiles.row[r], p, scratch);
    }
  }
}

// The owner of a tile of L on the diagonal: solves its unknowns.
template <int B>
__device__ __forceinline__ void solve_diagonal_back(const float (&a)[B][B], int p, const CholeskyScratch<B>& scratch) {
  float x[B];
#pragma unroll
  for (int c = B - 1; c >= 0; --c) {
    x[c] = scratch.right[B * p + c];
#pragma unroll
    for (int e = c + 1; e < B; ++e) x[c] -= a[e][c] * x[e];
    x[c] /= a[c][c];
    scratch.right[B * p + c] = x[c];
  }
}

// scratch.right holds y; after it the solution of Lᵀ x = y, visible to the block.
template <int B, int R>
__device__ __forceinline__ void solve_back(const RegisterTiles<B, R>& tiles, int side, const CholeskyScratch<B>& scratch) {
  for (int p = side - 1; p >= 0; --p) {
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.row[r] == p && tiles.column[r] == p) solve_diagonal_back<B>(tiles.value[r], p, scratch);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < R; ++r) {
      if (tiles.row[r] != p || tiles.column[r] >= p) continue;
#pragma unroll
      for (int c = 0; c < B; ++c) {
        float sum = scratch.right[B * tiles.column[r] + c];
#pragma unroll
        for (int e = 0; e < B; ++e) sum -= tiles.value[r][e][c] * scratch.right[B * p + e];
        scratch.right[B * tiles.column[r] + c] = sum;
      }
    }
    __syncthreads();
  }
}

}  // namespace bouquet::cuda
