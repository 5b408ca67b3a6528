// The inner loops of attribute priors, compiled and chosen like those of panel_kernels.h. Every element of a result is one fixed sequence
// of operations.
#pragma once

#include <cstdint>
#include <span>

#include "cpu_fallback/factor_table.h"

namespace bouquet::cpu {

// sum[0, stride) += sum over k of values[k] times the table's row columns[k].
void add_weighted_rows(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, float* sum);

// sum[0, 16 panels) = sum over k of values[k] times columns [first_column, first_column + 16 panels) of row first_row + rows[k]; `panels`
// is 1 or 2. The terms are added in float: let them be few hundred.
void sum_panels(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
                int64_t first_column, int panels, float* sum);

// sums[0, 16) += sum over k of weights[k] times row rows[k] of a panel, [rows][16], in double. `panel` is aligned.
void add_panel_rows(const float* panel, std::span<const uint16_t> rows, std::span<const double> weights, double* sums);

// right[k] -= the inner product of rows[k] and `vector`, for k < count; `stride` is a multiple of 16.
void subtract_products(const float* rows, int64_t stride, int64_t count, const float* vector, float* right);

}  // namespace bouquet::cpu
