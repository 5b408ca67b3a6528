// Solves rows of a half-step on the device: W p = sum of c r y + ridge m with the prior mean m and W = alpha0 YᵀY + sum of c y yᵀ + ridge
// I, or its dual (docs/algorithms/ials.md, attributes.md). One block per row; which way, in how many parts and by which threads
// solve_rules.h says. Everything is asynchronous on the stream, all pointers are to device memory.
#pragma once

#include <cstdint>

#include "cuda/solve_rules.h"
#include "cuda/stream.h"

namespace bouquet::cuda {

// The pairs of all rows (CSR).
struct DevicePairs {
  const int64_t* offsets = nullptr;    // [rows + 1]
  const int32_t* columns = nullptr;    // [pairs] rows of the fixed side
  const float* confidences = nullptr;  // [pairs]
  const float* targets = nullptr;      // [pairs], or null: every target is 1
  const double* ridges = nullptr;      // [rows] lambda rho
  const float* means = nullptr;        // [rows, row_stride(d)] prior means, or null: they are zero
};

// The fixed side (SolveSource owns it).
struct DeviceSource {
  int32_t dimension = 0;                 // d
  int32_t stride = 0;                    // row_stride(d), of both tables
  const float* vectors = nullptr;        // [n, stride]
  const float* shared_matrix = nullptr;  // alpha0 YᵀY [system_size(d), system_size(d)], zero past d
  const float* rotated = nullptr;        // [n, stride] the vectors in the eigenbasis of YᵀY
  const float* diagonal = nullptr;       // [stride] alpha0 times the eigenvalues, zero past d
};

// Where solutions go.
struct DeviceSolutions {
  float* solved = nullptr;    // row r from solved + r * stride; or null: only the factors are wanted
  int64_t stride = 0;         // at least d
  float* cholesky = nullptr;  // [.., d, d] L of W = L Lᵀ, zero above the diagonal, of row r at r - first_row; or null. Direct systems only
  int32_t first_row = 0;
  int32_t* failed = nullptr;  // becomes the lowest row whose matrix is not positive definite, if that is lower. Nothing is written for it
};

// Rows to solve by one launch.
struct RowList {
  const int32_t* rows = nullptr;  // [count]
  int32_t count = 0;
};

// A part of a long row, summed by one block into slot `slot` of the partial sums.
struct RowPart {
  int32_t row = 0;
  int32_t slot = 0;
  int64_t begin = 0;  // its first pair
  int32_t count = 0;
};

// Sums of parts: slot s has system_floats(d) floats from sums + s * system_floats(d), and system_size(d) of the right side.
struct PartialSums {
  float* sums = nullptr;
  float* rights = nullptr;
};

// d up to kLargestTiledSystem. Rows of any length, the empty one included, whose sums fit into one block's turn.
void solve_direct(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                  const Stream& stream);

// Rows of at most longest_dual_row(d) pairs, all of which have tile_shape(length) == shape. The solutions are left in the eigenbasis, where
// the prior means stand too: rotate_back() must follow.
void solve_dual(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const TileShape& shape,
                const DeviceSolutions& out, const Stream& stream);

// Long rows: first the sums of their parts, each by a block ...
void sum_parts(const DevicePairs& pairs, const DeviceSource& source, const RowPart* parts, int32_t count, const PartialSums& sums,
               const Stream& stream);
// ... then the systems, from the parts in order. Row i's stand in slots first_slots[i] .. first_slots[i + 1].
void solve_from_parts(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const int32_t* first_slots,
                      const PartialSums& sums, const DeviceSolutions& out, const Stream& stream);

// The same for d above kLargestTiledSystem. So many blocks solve at once, each in system_floats(d) floats of its own; where there are more
// rows, each block solves one after the other.
struct LargeWorkspace {
  float* floats = nullptr;
  int32_t blocks = 0;
};
int32_t large_blocks(int32_t rows);  // what is best for so many rows
void solve_large(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                 const LargeWorkspace& workspace, const Stream& stream);
void sum_large_parts(const DevicePairs& pairs, const DeviceSource& source, const RowPart* parts, int32_t count, const PartialSums& sums,
                     const Stream& stream);
void solve_large_from_parts(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const int32_t* first_slots,
                            const PartialSums& sums, const DeviceSolutions& out, const LargeWorkspace& workspace, const Stream& stream);

// Rows without pairs: their prior means, shrunk, (alpha0 YᵀY + ridge I)⁻¹ ridge m. Means and solutions are in the eigenbasis.
void shrink_means(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                  const Stream& stream);

// Rows of zeros.
void clear_rows(const RowList& rows, int32_t dimension, const DeviceSolutions& out, const Stream& stream);

// to [rows, row_stride(d)] := from [rows, d], zero past d.
void pad_rows(const float* from, int64_t rows, int32_t d, float* to, const Stream& stream);

// Solutions from the eigenbasis back into the original one, in place: x := sum over k of x_k times row k of `basis` [d, row_stride(d)].
// A row's bits do not depend on the other rows.
void rotate_back(const float* basis, int32_t dimension, const RowList& rows, const DeviceSolutions& out, const Stream& stream);

}  // namespace bouquet::cuda
