#include "cpu_fallback/factor_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace bouquet::cpu {

FloatBuffer make_floats(int64_t count) {
  constexpr size_t kLine = 64;
  constexpr size_t kLargePage = size_t{2} << 20;
  const size_t wanted = std::max<size_t>(static_cast<size_t>(count) * sizeof(float), 1);
  const size_t unit = wanted >= kLargePage ? kLargePage : kLine;
  const size_t bytes = (wanted + unit - 1) / unit * unit;
  void* memory = std::aligned_alloc(unit, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (unit == kLargePage) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: small pages work too
  std::memset(memory, 0, bytes);
  return FloatBuffer(static_cast<float*>(memory));
}

void FreeFloats::operator()(float* floats) const { std::free(floats); }

FactorTable::FactorTable(int64_t rows, int32_t dimension)
    : rows_(rows), dimension_(dimension), stride_(padded(dimension)), floats_(make_floats(rows * stride_)) {}

FactorTable FactorTable::copy_of(MatrixView<const float> rows) {
  FactorTable table(rows.rows, static_cast<int32_t>(rows.cols));
  table.assign(rows);
  return table;
}

void FactorTable::assign(MatrixView<const float> rows) {
  for (int64_t r = 0; r < rows.rows; ++r) std::ranges::copy(rows.row(r), row(r));
}

void FactorTable::copy_to(MatrixView<float> rows) const {
  for (int64_t r = 0; r < rows_; ++r) std::copy_n(row(r), dimension_, rows.row(r).data());
}

}  // namespace bouquet::cpu
