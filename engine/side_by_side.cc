#include "engine/side_by_side.h"

#include <algorithm>

namespace bouquet {
namespace {

constexpr size_t kLanes = SideBySide::kLanes, kRows = SideBySide::kRows;

#if defined(__x86_64__)
// Written in vectors of four, because what g++ 12 makes of plain loops hangs on every detail of them.
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));
constexpr size_t kFours = kLanes / 4;

// Their sums, one block of lanes and a number fit into the 16 registers.
[[gnu::target("avx2")]] void multiply_in_fours(const double* vectors, size_t stride, const double* rows, size_t d, double* sums) {
  for (size_t first = 0; first < stride; first += kLanes) {
    Four block[kRows][kFours] = {};
    for (size_t j = 0; j < d; ++j) {
      const auto* const from = reinterpret_cast<const Four*>(vectors + j * stride + first);
#pragma GCC unroll 3
      for (size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 3
        for (size_t k = 0; k < kFours; ++k) block[r][k] += rows[r * d + j] * from[k];
    }
    for (size_t r = 0; r < kRows; ++r)
      for (size_t k = 0; k < kFours; ++k) reinterpret_cast<Four*>(sums + r * stride + first)[k] = block[r][k];
  }
}
#endif

void multiply(const double* vectors, size_t stride, const double* rows, size_t d, double* sums) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return multiply_in_fours(vectors, stride, rows, d, sums);
#endif
  SideBySide::multiply_plainly(vectors, stride, rows, d, sums);
}

}  // namespace

void SideBySide::multiply_plainly(const double* vectors, size_t stride, const double* rows, size_t d, double* sums) {
  for (size_t r = 0; r < kRows; ++r)
    for (size_t first = 0; first < stride; first += kLanes) {
      double block[kLanes] = {};
      for (size_t j = 0; j < d; ++j) {
        const double* const from = vectors + j * stride + first;
#pragma GCC unroll 12
        for (size_t k = 0; k < kLanes; ++k) block[k] += rows[r * d + j] * from[k];
      }
      for (size_t k = 0; k < kLanes; ++k) sums[r * stride + first + k] = block[k];
    }
}

void SideBySide::products(MatrixView<const float> table, std::span<const int32_t> rows, std::span<const double> factors,
                          std::vector<double>& sums) const {
  const auto d = static_cast<size_t>(table.cols);
  std::vector<double> scaled(d * kRows), tile(stride_ * kRows);
  sums.resize(rows.size() * width_);
  for (size_t first = 0; first < rows.size(); first += kRows) {
    const size_t count = std::min(kRows, rows.size() - first);
    for (size_t r = 0; r < count; ++r) {
      const float* const row = table.row(rows[first + r]).data();
      const double factor = factors[first + r];
      for (size_t j = 0; j < d; ++j) scaled[r * d + j] = factor * double{row[j]};
    }
    multiply(values_.data(), stride_, scaled.data(), d, tile.data());
    for (size_t r = 0; r < count; ++r) std::copy_n(tile.data() + r * stride_, width_, sums.data() + (first + r) * width_);
  }
}

}  // namespace bouquet
