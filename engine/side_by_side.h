// Vectors that triangular systems are solved for together, in double. Internal to engine/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/views.h"

namespace bouquet {

// Several vectors side by side, [d][width]: loops run over the vectors, so that they are fast without reordering any sum. A row is filled
// up with zeros to whole blocks of lanes, whose fixed number lets a compiler keep a block in registers.
class SideBySide {
 public:
  SideBySide(MatrixView<const float> table, std::span<const int32_t> rows)
      : width_(rows.size()), stride_(padded(width_)), values_(static_cast<size_t>(table.cols) * stride_) {
    for (size_t k = 0; k < width_; ++k) fill(k, table.row(rows[k]));
  }
  explicit SideBySide(MatrixView<const float> all)
      : width_(static_cast<size_t>(all.rows)), stride_(padded(width_)), values_(static_cast<size_t>(all.cols) * stride_) {
    for (size_t k = 0; k < width_; ++k) fill(k, all.row(static_cast<int64_t>(k)));
  }
  size_t width() const { return width_; }
  double* row(size_t j) { return values_.data() + j * stride_; }
  const double* row(size_t j) const { return values_.data() + j * stride_; }

  // L v = these, in place.
  void solve_lower(std::span<const float> l, size_t d) {
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < i; ++j) subtract(i, double{l[i * d + j]}, j);
      divide(i, double{l[i * d + i]});
    }
  }
  // Lᵀ v = these, in place.
  void solve_upper(std::span<const float> l, size_t d) {
    for (size_t i = d; i-- > 0;) {
      divide(i, double{l[i * d + i]});
      for (size_t j = 0; j < i; ++j) subtract(j, double{l[i * d + j]}, i);
    }
  }
  // sums[i * width() + k] = factors[i] times the product of vector k with row rows[i] of `table`, each number of the row scaled first and
  // summed in index order.
  void products(MatrixView<const float> table, std::span<const int32_t> rows, std::span<const double> factors,
                std::vector<double>& sums) const;

  // Numbers of one block of lanes, and rows that products() takes together.
  static constexpr size_t kLanes = 12, kRows = 3;
  // What products() does where there is nothing quicker, to the bit, for kRows `rows` [kRows][d] and `vectors` [d][stride]:
  // sums[r * stride + k] = their product. Multiplications and additions are not fused anywhere.
  static void multiply_plainly(const double* vectors, size_t stride, const double* rows, size_t d, double* sums);

 private:
  static size_t padded(size_t width) { return (width + kLanes - 1) / kLanes * kLanes; }

  void fill(size_t k, std::span<const float> vector) {
    for (size_t j = 0; j < vector.size(); ++j) row(j)[k] = double{vector[j]};
  }
  void subtract(size_t to, double factor, size_t from) {
    double* a = row(to);
    const double* b = row(from);
    for (size_t first = 0; first < stride_; first += kLanes)
      for (size_t k = 0; k < kLanes; ++k) a[first + k] -= factor * b[first + k];
  }
  void divide(size_t at, double by) {
    double* a = row(at);
    for (size_t k = 0; k < width_; ++k) a[k] /= by;
  }

  size_t width_, stride_;
  std::vector<double> values_;
};

}  // namespace bouquet
