// The inner loops of training and fold-in, compiled for every instruction set of this processor family and chosen at run time
// (Highway). Everything runs on one register tile: C[16, 16] +-= AᵀB with A and B stored as panels.
//
// A panel is [depth][16] floats, aligned to 64 bytes: 16 columns of a row-major matrix, so a tile reads both operands forwards.
// A "panel matrix" of n rows and columns (n a multiple of 16) is n / 16 panels of n rows each; of a symmetric or upper triangular one
// only the rows up to the end of each panel's diagonal block are kept. Element (i, j) is at (j / 16) * n * 16 + i * 16 + j % 16.
//
// Every element of a result is one fixed sequence of operations: nothing depends on what else is in a batch.
#pragma once

#include <cstdint>
#include <span>

#include "cpu_fallback/factor_table.h"

namespace bouquet::cpu {

inline constexpr int64_t kBlockFloats = int64_t{kPanel} * kPanel;

// Pairs of one row that are gathered together.
struct GatherPairs {
  std::span<const int32_t> columns;
  std::span<const float> confidences;
  std::span<const float> targets;  // or empty: every target is 1
};

// The name of the instruction set that the functions below run on, such as "AVX2".
const char* instruction_set();

// c[16, 16] = aᵀ b over `depth` rows of two panels.
void multiply_panels(int64_t depth, const float* a, const float* b, float* c);

// One row of aᵀ b: c[panels * 16] = a[depth] times panels that follow each other. The bits of multiply_panels.
void multiply_row(int64_t depth, const float* a, const float* b, int64_t panels, float* c);

// Packs rows [first, first + count) of a table: panel p starts at panels + p * capacity * 16.
void pack_rows(const FactorTable& table, int64_t first, int64_t count, int64_t capacity, float* panels);

// Transposes `count` <= 16 rows of a table, from `first`, into one panel [stride][16]; columns past `count` are zero.
void transpose_rows(const FactorTable& table, int64_t first, int64_t count, float* panel);

// Packs the rows that the pairs name, each times sqrt(c), and adds c r y of each to right[0, stride).
void gather_weighted(const FactorTable& table, const GatherPairs& pairs, int64_t capacity, float* panels, float* right);

// Adds ZᵀZ to the upper half of the panel matrix `upper` of n columns; Z is packed, `depth` rows.
void add_gram(int64_t depth, int64_t capacity, const float* panels, int32_t n, float* upper);

// U of M = UᵀU in place of M. `inverses` [n / 16][2][16, 16]: of each diagonal block of L = Uᵀ the inverse transposed and the inverse.
// False: not positive definite.
bool factorize(int32_t n, float* upper, float* inverses);

// Solves M x = right in place.
void solve_factorized(int32_t n, const float* upper, const float* inverses, float* right);

// The dual of short rows. Gathers up to 16 pairs' rows, each times sqrt(c) and, column by column, times `scale` [stride]: as rows
// [16][stride] and as one panel [stride][16]; what is past the pairs is zero.
void gather_scaled(const FactorTable& table, const GatherPairs& pairs, const float* scale, float* rows, float* panel);

// I + ZZᵀ as a panel matrix of n columns, from n / 16 panels [depth][16] that follow each other.
void dual_matrix(int64_t depth, const float* panels, int32_t n, float* upper);

// Row j of out[stride][16] (one column of a panel, so out[j * 16]) = scale[j] times the sum over k of weights[k] rows[k][j].
void combine_rows(const float* rows, int64_t stride, std::span<const float> weights, const float* scale, float* out);

// scale[j] = 1 / sqrt(diagonal[j] + ridge).
void inverse_roots(std::span<const float> diagonal, float ridge, float* scale);

// products[k] = the inner product of `vector` [stride] and the table's row columns[k], in double.
void inner_products(const FactorTable& table, const float* vector, std::span<const int32_t> columns, double* products);

}  // namespace bouquet::cpu
