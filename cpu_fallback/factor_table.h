// A table of vectors as the solvers read it: rows padded with zeros to whole panels of 16, on large pages where the system has
// them, because a half-step reads rows at random.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/views.h"

namespace bouquet::cpu {

inline constexpr int32_t kPanel = 16;  // columns of a panel (tile_kernels.h)
inline int32_t padded(int32_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

// `count` zeroed floats, aligned to a cache line, on 2 MB pages where there are enough of them. Throws std::bad_alloc.
struct FreeFloats {
  void operator()(float* floats) const;
};
using FloatBuffer = std::unique_ptr<float[], FreeFloats>;
FloatBuffer make_floats(int64_t count);

class FactorTable {
 public:
  FactorTable() = default;
  FactorTable(int64_t rows, int32_t dimension);
  static FactorTable copy_of(MatrixView<const float> rows);

  int64_t rows() const { return rows_; }
  int32_t dimension() const { return dimension_; }
  int32_t stride() const { return stride_; }  // padded(dimension()); what is past the dimension is zero
  float* row(int64_t r) { return floats_.get() + r * stride_; }
  const float* row(int64_t r) const { return floats_.get() + r * stride_; }
  void copy_to(MatrixView<float> rows) const;  // [rows(), dimension()]
  void assign(MatrixView<const float> rows);   // of the same shape

 private:
  int64_t rows_ = 0;
  int32_t dimension_ = 0;
  int32_t stride_ = 0;
  FloatBuffer floats_;
};

}  // namespace bouquet::cpu
