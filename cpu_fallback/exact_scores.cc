#include "cpu_fallback/exact_scores.h"

#include <algorithm>

namespace bouquet::cpu {
namespace {

constexpr size_t kRows = 8;  // sums that are added to in turn: an addition takes four cycles, and every cycle can start two

void prefetch(const float* row, int64_t d) {
  for (int64_t j = 0; j < d; j += 16) __builtin_prefetch(row + j);
}

void eight_scores(const float* query, const float* const* rows, int64_t d, float* scores) {
  double sums[kRows] = {};
  for (int64_t j = 0; j < d; ++j) {
    const double u = query[j];
    for (size_t r = 0; r < kRows; ++r) sums[r] += u * static_cast<double>(rows[r][j]);
  }
  for (size_t r = 0; r < kRows; ++r) scores[r] = static_cast<float>(sums[r]);
}

}  // namespace

void exact_scores(const float* query, MatrixView<const float> rows, std::span<const int32_t> which, float* scores) {
  const int64_t d = rows.cols;
  const auto row = [&](size_t i) { return rows.data + which[i] * d; };
  for (size_t i = 0; i < std::min(2 * kRows, which.size()); ++i) prefetch(row(i), d);
  for (size_t i = 0; i < which.size(); i += kRows) {
    for (size_t r = i + 2 * kRows; r < std::min(i + 3 * kRows, which.size()); ++r) prefetch(row(r), d);
    const float* eight[kRows];  // the last rows are repeated where fewer are left: still faster than one by one
    for (size_t r = 0; r < kRows; ++r) eight[r] = row(std::min(i + r, which.size() - 1));
    float eight_results[kRows];
    eight_scores(query, eight, d, eight_results);
    std::copy_n(eight_results, std::min(kRows, which.size() - i), scores + i);
  }
}

}  // namespace bouquet::cpu
