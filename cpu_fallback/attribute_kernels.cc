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

// Of elements [first, first + V * kLanes) of each row.
template <int V>
void AddWeightedParts(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, int64_t first,
                      float* sum) {
  Vector sums[V];
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v) sums[v] = hn::LoadU(kTag, sum + first + v * kLanes);
  for (size_t k = 0; k < columns.size(); ++k) {
    const Vector value = hn::Set(kTag, values[k]);
    const float* row = table.row(columns[k]) + first;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sums[v] = hn::MulAdd(value, hn::Load(kTag, row + v * kLanes), sums[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v) hn::StoreU(sums[v], kTag, sum + first + v * kLanes);
}

// As many sums at once as hide the latency of one, and as few walks over the table.
void AddWeightedRows(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, float* sum) {
  constexpr int kWide = 8;  // vectors
  int64_t first = 0;
  for (; first + kWide * kLanes <= table.stride(); first += kWide * kLanes) AddWeightedParts<kWide>(table, columns, values, first, sum);
  for (; first < table.stride(); first += kPanel) AddWeightedParts<kVectors>(table, columns, values, first, sum);
}

// Two panels at once: one alone waits for its own sums.
template <int kPanels>
void SumPanelsOf(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
                 int64_t first_column, float* sum) {
  constexpr int kSums = kPanels * kVectors;
  Vector sums[kSums];
#pragma GCC unroll 16
  for (int v = 0; v < kSums; ++v) sums[v] = hn::Zero(kTag);
  const float* base = table.row(first_row) + first_column;
  for (size_t k = 0; k < rows.size(); ++k) {
    const Vector value = hn::Set(kTag, values[k]);
    const float* row = base + int64_t{rows[k]} * table.stride();
#pragma GCC unroll 16
    for (int v = 0; v < kSums; ++v) sums[v] = hn::MulAdd(value, hn::Load(kTag, row + v * kLanes), sums[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < kSums; ++v) hn::StoreU(sums[v], kTag, sum + v * kLanes);
}

void SumPanels(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
               int64_t first_column, int panels, float* sum) {
  if (panels == 2)
    SumPanelsOf<2>(table, first_row, rows, values, first_column, sum);
  else
    SumPanelsOf<1>(table, first_row, rows, values, first_column, sum);
}

using DoubleTag = hn::CappedTag<double, kPanel>;
constexpr DoubleTag kDoubleTag;
constexpr int kDoubleLanes = static_cast<int>(hn::MaxLanes(kDoubleTag));
constexpr int kDoubleVectors = kPanel / kDoubleLanes;  // of one panel

void AddPanelRows(const float* panel, std::span<const uint16_t> rows, std::span<const double> weights, double* sums) {
  const hn::Rebind<float, DoubleTag> floats;
  hn::Vec<DoubleTag> mine[kDoubleVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kDoubleVectors; ++v) mine[v] = hn::LoadU(kDoubleTag, sums + v * kDoubleLanes);
  for (size_t k = 0; k < rows.size(); ++k) {
    const auto weight = hn::Set(kDoubleTag, weights[k]);
    const float* row = panel + int64_t{rows[k]} * kPanel;
#pragma GCC unroll 16
    for (int v = 0; v < kDoubleVectors; ++v)
      mine[v] = hn::MulAdd(weight, hn::PromoteTo(kDoubleTag, hn::Load(floats, row + v * kDoubleLanes)), mine[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < kDoubleVectors; ++v) hn::StoreU(mine[v], kDoubleTag, sums + v * kDoubleLanes);
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
HWY_EXPORT(SumPanels);
HWY_EXPORT(AddPanelRows);
HWY_EXPORT(SubtractProducts);

void add_weighted_rows(const FactorTable& table, std::span<const int32_t> columns, std::span<const float> values, float* sum) {
  HWY_DYNAMIC_DISPATCH(AddWeightedRows)(table, columns, values, sum);
}
void sum_panels(const FactorTable& table, int64_t first_row, std::span<const uint16_t> rows, std::span<const float> values,
                int64_t first_column, int panels, float* sum) {
  HWY_DYNAMIC_DISPATCH(SumPanels)(table, first_row, rows, values, first_column, panels, sum);
}
void add_panel_rows(const float* panel, std::span<const uint16_t> rows, std::span<const double> weights, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddPanelRows)(panel, rows, weights, sums);
}
void subtract_products(const float* rows, int64_t stride, int64_t count, const float* vector, float* right) {
  HWY_DYNAMIC_DISPATCH(SubtractProducts)(rows, stride, count, vector, right);
}

}  // namespace bouquet::cpu
#endif  // HWY_ONCE
