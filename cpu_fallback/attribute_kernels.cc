#include "cpu_fallback/attribute_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu_fallback/attribute_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bouquet::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<float, kPanel>;
using Vector = hn::Vec<Tag>;
constexpr Tag kTag;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kTag));
constexpr int kVectors = kPanel / kLanes;  // of one panel

void AddWeightedRows(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, float* sum) {
  for (int64_t p = 0; p < table.stride(); p += kPanel) {
    Vector sums[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(kTag, sum + p + v * kLanes);
    for (size_t k = 0; k < columns.size(); ++k) {
      const Vector value = hn::Set(kTag, values[k]);
      const float* row = table.row(columns[k]) + p;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(value, hn::Load(kTag, row + v * kLanes), sums[v]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kTag, sum + p + v * kLanes);
  }
}

void SumPanel(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
              int64_t first_column, float* sum) {
  Vector sums[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sums[v] = hn::Zero(kTag);
  const float* base = table.row(first_row) + first_column;
  for (size_t k = 0; k < rows.size(); ++k) {
    const Vector value = hn::Set(kTag, values[k]);
    const float* row = base + int64_t{rows[k]} * table.stride();
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(value, hn::Load(kTag, row + v * kLanes), sums[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kTag, sum + v * kLanes);
}

void SubtractProducts(const float* rows, int64_t stride, int64_t count, const float* vector, float* right) {
  for (int64_t k = 0; k < count; ++k) {
    const float* row = rows + k * stride;
    Vector sums[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::Zero(kTag);
    for (int64_t j = 0; j < stride; j += kPanel)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v)
        sums[v] = hn::MulAdd(hn::Load(kTag, row + j + v * kLanes), hn::LoadU(kTag, vector + j + v * kLanes), sums[v]);
#pragma GCC unroll 16
    for (int v = 1; v < kVectors; ++v) sums[0] = hn::Add(sums[0], sums[v]);
    right[k] -= hn::GetLane(hn::SumOfLanes(kTag, sums[0]));
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bouquet::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bouquet::cpu {

HWY_EXPORT(AddWeightedRows);
HWY_EXPORT(SumPanel);
HWY_EXPORT(SubtractProducts);

void add_weighted_rows(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, float* sum) {
  HWY_DYNAMIC_DISPATCH(AddWeightedRows)(table, columns, values, sum);
}
void sum_panel(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
               int64_t first_column, float* sum) {
  HWY_DYNAMIC_DISPATCH(SumPanel)(table, first_row, rows, values, first_column, sum);
}
void subtract_products(const float* rows, int64_t stride, int64_t count, const float* vector, float* right) {
  HWY_DYNAMIC_DISPATCH(SubtractProducts)(rows, stride, count, vector, right);
}

}  // namespace bouquet::cpu
#endif  // HWY_ONCE
