#include "cpu_fallback/panel_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu_fallback/panel_kernels.cc"
#include "hwy/cache_control.h"
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
constexpr int kVectors = kPanel / kLanes;  // of one row of a panel
// Rows of the register tile: as many sums as hide the latency of a multiply-add and still fit the registers.
constexpr int kTileRows = kLanes >= 16 ? 16 : kLanes == 8 ? 6 : 2;
constexpr int64_t kPrefetchDistance = 12;  // rows; a gathered row is a cache miss

enum class Store { kSet, kAdd, kSubtract };

template <Store kStore, int kRows>
HWY_INLINE void tile(int64_t depth, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, float* HWY_RESTRICT c) {
  Vector sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(kTag);
  for (int64_t k = 0; k < depth; ++k, a += kPanel, b += kPanel) {
    Vector right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = hn::Load(kTag, b + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector left = hn::Set(kTag, a[r]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      float* at = c + r * kPanel + v * kLanes;
      if constexpr (kStore == Store::kAdd) sum[r][v] = hn::Add(hn::Load(kTag, at), sum[r][v]);
      if constexpr (kStore == Store::kSubtract) sum[r][v] = hn::Sub(hn::Load(kTag, at), sum[r][v]);
      hn::Store(sum[r][v], kTag, at);
    }
}

// One 16 x 16 block. With kTriangular, row i of the result needs the first i + 1 rows of the operands only.
template <Store kStore, bool kTriangular = false>
HWY_INLINE void block(int64_t depth, const float* a, const float* b, float* c) {
  constexpr int kLast = kPanel % kTileRows;
#pragma GCC unroll 16
  for (int r = 0; r + kTileRows <= kPanel; r += kTileRows)
    tile<kStore, kTileRows>(kTriangular ? r + kTileRows : depth, a + r, b, c + r * kPanel);
  if constexpr (kLast != 0) tile<kStore, kLast>(depth, a + kPanel - kLast, b, c + (kPanel - kLast) * kPanel);
}

void MultiplyPanels(int64_t depth, const float* a, const float* b, float* c) { block<Store::kSet>(depth, a, b, c); }

template <int kPanels>
HWY_INLINE void row_times_panels(int64_t depth, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, float* HWY_RESTRICT c) {
  Vector sum[kPanels][kVectors];
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[p][v] = hn::Zero(kTag);
  for (int64_t k = 0; k < depth; ++k, b += kPanel) {
    const Vector left = hn::Set(kTag, a[k]);
#pragma GCC unroll 16
    for (int p = 0; p < kPanels; ++p)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[p][v] = hn::MulAdd(left, hn::Load(kTag, b + p * depth * kPanel + v * kLanes), sum[p][v]);
  }
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[p][v], kTag, c + p * kPanel + v * kLanes);
}

void MultiplyRow(int64_t depth, const float* a, const float* b, int64_t panels, float* c) {
  // As many sums as hide the latency of a multiply-add.
  constexpr int kTogether = kVectors >= 4 ? 2 : 4;
  int64_t p = 0;
  for (; p + kTogether <= panels; p += kTogether) row_times_panels<kTogether>(depth, a, b + p * depth * kPanel, c + p * kPanel);
  for (; p < panels; ++p) row_times_panels<1>(depth, a, b + p * depth * kPanel, c + p * kPanel);
}

void AddGram(int64_t depth, int64_t capacity, const float* panels, int32_t n, float* upper) {
  const int64_t blocks = n / kPanel;
  for (int64_t i = 0; i < blocks; ++i)
    for (int64_t j = i; j < blocks; ++j)
      block<Store::kAdd>(depth, panels + i * capacity * kPanel, panels + j * capacity * kPanel, upper + j * n * kPanel + i * kBlockFloats);
}

void DualMatrix(int64_t depth, const float* panels, int32_t n, float* upper) {
  const int64_t blocks = n / kPanel;
  for (int64_t i = 0; i < blocks; ++i) {
    for (int64_t j = i; j < blocks; ++j)
      block<Store::kSet>(depth, panels + i * depth * kPanel, panels + j * depth * kPanel, upper + j * n * kPanel + i * kBlockFloats);
    float* diagonal = upper + i * n * kPanel + i * kBlockFloats;
    for (int r = 0; r < kPanel; ++r) diagonal[r * kPanel + r] += 1.0f;
  }
}

HWY_INLINE void scale_row(float* row, Vector factor) {
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) hn::Store(hn::Mul(hn::Load(kTag, row + v * kLanes), factor), kTag, row + v * kLanes);
}

HWY_INLINE void subtract_row(float* row, Vector factor, const float* other) {
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v)
    hn::Store(hn::NegMulAdd(factor, hn::Load(kTag, other + v * kLanes), hn::Load(kTag, row + v * kLanes)), kTag, row + v * kLanes);
}

// Turns a diagonal block into U by elimination; the same steps turn the identity into the inverse of L = Uᵀ.
HWY_INLINE bool factorize_block(float* block, float* inverse_transposed, float* inverse) {
  std::fill_n(inverse, kBlockFloats, 0.0f);
  for (int r = 0; r < kPanel; ++r) inverse[r * kPanel + r] = 1.0f;
  for (int k = 0; k < kPanel; ++k) {
    const float pivot = block[k * kPanel + k];
    if (!(pivot > 0) || !(pivot <= std::numeric_limits<float>::max())) return false;
    const Vector factor = hn::Set(kTag, 1.0f / std::sqrt(pivot));
    scale_row(block + k * kPanel, factor);
    scale_row(inverse + k * kPanel, factor);
    for (int r = k + 1; r < kPanel; ++r) {
      const Vector times = hn::Set(kTag, block[k * kPanel + r]);
      subtract_row(block + r * kPanel, times, block + k * kPanel);
      subtract_row(inverse + r * kPanel, times, inverse + k * kPanel);
    }
  }
  for (int r = 0; r < kPanel; ++r)
    for (int c = 0; c < kPanel; ++c) inverse_transposed[c * kPanel + r] = inverse[r * kPanel + c];
  return true;
}

// Left-looking, one row of blocks after the other.
bool Factorize(int32_t n, float* upper, float* inverses) {
  const int64_t blocks = n / kPanel;
  for (int64_t i = 0; i < blocks; ++i) {
    const float* left = upper + i * n * kPanel;
    for (int64_t j = i; j < blocks; ++j) {
      float* right = upper + j * n * kPanel;
      block<Store::kSubtract>(i * kPanel, left, right, right + i * kBlockFloats);
    }
    float* inverse_transposed = inverses + i * 2 * kBlockFloats;
    if (!factorize_block(upper + i * n * kPanel + i * kBlockFloats, inverse_transposed, inverse_transposed + kBlockFloats)) return false;
    for (int64_t j = i + 1; j < blocks; ++j) {
      float* at = upper + j * n * kPanel + i * kBlockFloats;
      alignas(64) float before[kBlockFloats];
      std::copy_n(at, kBlockFloats, before);
      block<Store::kSet, true>(kPanel, inverse_transposed, before, at);
    }
  }
  return true;
}

// out[0, 16) = sum over k < 16 of rows[k][0, 16) weights[k].
HWY_INLINE void weigh_block(const float* rows, const float* weights, float* out) {
  Vector sum[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(kTag);
  for (int k = 0; k < kPanel; ++k)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      sum[v] = hn::MulAdd(hn::Set(kTag, weights[k]), hn::Load(kTag, rows + k * kPanel + v * kLanes), sum[v]);
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) hn::Store(sum[v], kTag, out + v * kLanes);
}

void SolveFactorized(int32_t n, const float* upper, const float* inverses, float* right) {
  const int64_t blocks = n / kPanel;
  alignas(64) float rest[kPanel];
  for (int64_t i = 0; i < blocks; ++i) {  // L y = right
    const float* panel = upper + i * n * kPanel;
    Vector sum[4][kVectors];
#pragma GCC unroll 16
    for (int s = 0; s < 4; ++s)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[s][v] = hn::Zero(kTag);
    for (int64_t k = 0; k < i * kPanel; k += 4)
#pragma GCC unroll 16
      for (int s = 0; s < 4; ++s)
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v)
          sum[s][v] = hn::MulAdd(hn::Set(kTag, right[k + s]), hn::Load(kTag, panel + (k + s) * kPanel + v * kLanes), sum[s][v]);
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const Vector all = hn::Add(hn::Add(sum[0][v], sum[1][v]), hn::Add(sum[2][v], sum[3][v]));
      hn::Store(hn::Sub(hn::Load(kTag, right + i * kPanel + v * kLanes), all), kTag, rest + v * kLanes);
    }
    weigh_block(inverses + i * 2 * kBlockFloats, rest, right + i * kPanel);
  }
  for (int64_t i = blocks; i-- > 0;) {  // U x = y
    for (int r = 0; r < kPanel; ++r) {
      Vector sum[kVectors];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(kTag);
      for (int64_t j = i + 1; j < blocks; ++j)
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v)
          sum[v] = hn::MulAdd(hn::Load(kTag, upper + j * n * kPanel + (i * kPanel + r) * kPanel + v * kLanes),
                              hn::Load(kTag, right + j * kPanel + v * kLanes), sum[v]);
#pragma GCC unroll 16
      for (int v = 1; v < kVectors; ++v) sum[0] = hn::Add(sum[0], sum[v]);
      rest[r] = right[i * kPanel + r] - hn::GetLane(hn::SumOfLanes(kTag, sum[0]));
    }
    weigh_block(inverses + i * 2 * kBlockFloats + kBlockFloats, rest, right + i * kPanel);
  }
}

HWY_INLINE void prefetch_row(const float* row, int64_t stride) {
  for (int64_t j = 0; j < stride; j += kPanel) hwy::Prefetch(row + j);
}

void PackRows(const FactorTable& table, int64_t first, int64_t count, int64_t capacity, float* panels) {
  for (int64_t r = 0; r < count; ++r)
    for (int64_t j = 0; j < table.stride(); j += kLanes)
      hn::Store(hn::Load(kTag, table.row(first + r) + j), kTag, panels + (j / kPanel * capacity + r) * kPanel + j % kPanel);
}

void GatherWeighted(const FactorTable& table, const GatherPairs& pairs, int64_t capacity, float* panels, float* right) {
  const auto count = static_cast<int64_t>(pairs.columns.size());
  for (int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<size_t>(i);
    if (i + kPrefetchDistance < count) prefetch_row(table.row(pairs.columns[k + kPrefetchDistance]), table.stride());
    const float* row = table.row(pairs.columns[k]);
    const Vector root = hn::Set(kTag, std::sqrt(pairs.confidences[k]));
    const Vector weight = hn::Set(kTag, pairs.targets.empty() ? pairs.confidences[k] : pairs.confidences[k] * pairs.targets[k]);
    for (int64_t p = 0; p < table.stride(); p += kPanel)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        const Vector y = hn::Load(kTag, row + p + v * kLanes);
        float* at = right + p + v * kLanes;
        hn::Store(hn::MulAdd(weight, y, hn::Load(kTag, at)), kTag, at);
        hn::Store(hn::Mul(root, y), kTag, panels + (p / kPanel * capacity + i) * kPanel + v * kLanes);
      }
  }
}

// to[c * 16 + r] = from[r * stride + c] for r, c < 4.
HWY_INLINE void transpose_4x4(const float* from, int64_t stride, float* to) {
#if HWY_TARGET == HWY_SCALAR  // the fallback for a processor without vectors
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) to[c * kPanel + r] = from[r * stride + c];
#else
  const hn::CappedTag<float, 4> tag;
  static_assert(hn::MaxLanes(tag) == 4);
  const hn::RepartitionToWide<decltype(tag)> wide;
  const auto row0 = hn::Load(tag, from);
  const auto row1 = hn::Load(tag, from + stride);
  const auto row2 = hn::Load(tag, from + 2 * stride);
  const auto row3 = hn::Load(tag, from + 3 * stride);
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(tag, row0, row1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(tag, row2, row3));
  const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(tag, row0, row1));
  const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(tag, row2, row3));
  hn::Store(hn::BitCast(tag, hn::InterleaveLower(wide, low01, low23)), tag, to);
  hn::Store(hn::BitCast(tag, hn::InterleaveUpper(wide, low01, low23)), tag, to + kPanel);
  hn::Store(hn::BitCast(tag, hn::InterleaveLower(wide, high01, high23)), tag, to + 2 * kPanel);
  hn::Store(hn::BitCast(tag, hn::InterleaveUpper(wide, high01, high23)), tag, to + 3 * kPanel);
#endif
}

// 16 rows [16][stride] as one panel [stride][16].
HWY_INLINE void transpose_block(const float* rows, int64_t stride, float* panel) {
  for (int64_t j = 0; j < stride; j += 4)
    for (int64_t r = 0; r < kPanel; r += 4) transpose_4x4(rows + r * stride + j, stride, panel + j * kPanel + r);
}

void TransposeRows(const FactorTable& table, int64_t first, int64_t count, float* panel) {
  if (count == kPanel) return transpose_block(table.row(first), table.stride(), panel);
  std::fill_n(panel, table.stride() * kPanel, 0.0f);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t j = 0; j < table.stride(); ++j) panel[j * kPanel + r] = table.row(first + r)[j];
}

void GatherScaled(const FactorTable& table, const GatherPairs& pairs, const float* scale, float* rows, float* panel) {
  const int64_t stride = table.stride();
  const auto count = static_cast<int64_t>(pairs.columns.size());
  for (int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<size_t>(i);
    if (i + 4 < count) prefetch_row(table.row(pairs.columns[k + 4]), stride);
    const float* row = table.row(pairs.columns[k]);
    const Vector root = hn::Set(kTag, std::sqrt(pairs.confidences[k]));
    for (int64_t j = 0; j < stride; j += kLanes)
      hn::Store(hn::Mul(hn::Mul(root, hn::Load(kTag, scale + j)), hn::Load(kTag, row + j)), kTag, rows + i * stride + j);
  }
  std::fill_n(rows + count * stride, (kPanel - count) * stride, 0.0f);
  transpose_block(rows, stride, panel);
}

void CombineRows(const float* rows, int64_t stride, std::span<const float> weights, const float* scale, float* out) {
  for (int64_t j = 0; j < stride; j += kPanel) {
    alignas(64) float sum[kPanel];
    Vector sums[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::Zero(kTag);
    for (size_t k = 0; k < weights.size(); ++k)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v)
        sums[v] = hn::MulAdd(hn::Set(kTag, weights[k]), hn::Load(kTag, rows + static_cast<int64_t>(k) * stride + j + v * kLanes), sums[v]);
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) hn::Store(hn::Mul(sums[v], hn::Load(kTag, scale + j + v * kLanes)), kTag, sum + v * kLanes);
    for (int c = 0; c < kPanel; ++c) out[(j + c) * kPanel] = sum[c];
  }
}

void InverseRoots(std::span<const float> diagonal, float ridge, float* scale) {
  for (size_t j = 0; j < diagonal.size(); j += kLanes) {
    const Vector sum = hn::Add(hn::LoadU(kTag, diagonal.data() + j), hn::Set(kTag, ridge));
    hn::Store(hn::Div(hn::Set(kTag, 1.0f), hn::Sqrt(sum)), kTag, scale + j);
  }
}

HWY_INLINE double dot_in_double(const float* a, const float* b, int64_t stride) {
  const hn::CappedTag<double, kPanel / 2> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  constexpr int64_t kStep = static_cast<int64_t>(hn::MaxLanes(hn::CappedTag<double, kPanel / 2>()));
  auto even = hn::Zero(wide);
  auto odd = hn::Zero(wide);
  for (int64_t j = 0; j < stride; j += 2 * kStep) {
    even = hn::MulAdd(hn::PromoteTo(wide, hn::Load(narrow, a + j)), hn::PromoteTo(wide, hn::Load(narrow, b + j)), even);
    odd = hn::MulAdd(hn::PromoteTo(wide, hn::Load(narrow, a + j + kStep)), hn::PromoteTo(wide, hn::Load(narrow, b + j + kStep)), odd);
  }
  return hn::GetLane(hn::SumOfLanes(wide, hn::Add(even, odd)));
}

void InnerProducts(const FactorTable& table, const float* vector, std::span<const int32_t> columns, double* products) {
  for (size_t k = 0; k < columns.size(); ++k) {
    if (k + kPrefetchDistance < columns.size()) prefetch_row(table.row(columns[k + kPrefetchDistance]), table.stride());
    products[k] = dot_in_double(vector, table.row(columns[k]), table.stride());
  }
}

const char* InstructionSet() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bouquet::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bouquet::cpu {

HWY_EXPORT(InstructionSet);
HWY_EXPORT(MultiplyPanels);
HWY_EXPORT(MultiplyRow);
HWY_EXPORT(PackRows);
HWY_EXPORT(TransposeRows);
HWY_EXPORT(GatherWeighted);
HWY_EXPORT(AddGram);
HWY_EXPORT(Factorize);
HWY_EXPORT(SolveFactorized);
HWY_EXPORT(GatherScaled);
HWY_EXPORT(DualMatrix);
HWY_EXPORT(CombineRows);
HWY_EXPORT(InverseRoots);
HWY_EXPORT(InnerProducts);

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(InstructionSet)(); }
void multiply_panels(int64_t depth, const float* a, const float* b, float* c) { HWY_DYNAMIC_DISPATCH(MultiplyPanels)(depth, a, b, c); }
void multiply_row(int64_t depth, const float* a, const float* b, int64_t panels, float* c) {
  HWY_DYNAMIC_DISPATCH(MultiplyRow)(depth, a, b, panels, c);
}
void pack_rows(const FactorTable& table, int64_t first, int64_t count, int64_t capacity, float* panels) {
  HWY_DYNAMIC_DISPATCH(PackRows)(table, first, count, capacity, panels);
}
void transpose_rows(const FactorTable& table, int64_t first, int64_t count, float* panel) {
  HWY_DYNAMIC_DISPATCH(TransposeRows)(table, first, count, panel);
}
void gather_weighted(const FactorTable& table, const GatherPairs& pairs, int64_t capacity, float* panels, float* right) {
  HWY_DYNAMIC_DISPATCH(GatherWeighted)(table, pairs, capacity, panels, right);
}
void add_gram(int64_t depth, int64_t capacity, const float* panels, int32_t n, float* upper) {
  HWY_DYNAMIC_DISPATCH(AddGram)(depth, capacity, panels, n, upper);
}
bool factorize(int32_t n, float* upper, float* inverses) { return HWY_DYNAMIC_DISPATCH(Factorize)(n, upper, inverses); }
void solve_factorized(int32_t n, const float* upper, const float* inverses, float* right) {
  HWY_DYNAMIC_DISPATCH(SolveFactorized)(n, upper, inverses, right);
}
void gather_scaled(const FactorTable& table, const GatherPairs& pairs, const float* scale, float* rows, float* panel) {
  HWY_DYNAMIC_DISPATCH(GatherScaled)(table, pairs, scale, rows, panel);
}
void dual_matrix(int64_t depth, const float* panels, int32_t n, float* upper) { HWY_DYNAMIC_DISPATCH(DualMatrix)(depth, panels, n, upper); }
void combine_rows(const float* rows, int64_t stride, std::span<const float> weights, const float* scale, float* out) {
  HWY_DYNAMIC_DISPATCH(CombineRows)(rows, stride, weights, scale, out);
}
void inverse_roots(std::span<const float> diagonal, float ridge, float* scale) {
  HWY_DYNAMIC_DISPATCH(InverseRoots)(diagonal, ridge, scale);
}
void inner_products(const FactorTable& table, const float* vector, std::span<const int32_t> columns, double* products) {
  HWY_DYNAMIC_DISPATCH(InnerProducts)(table, vector, columns, products);
}

}  // namespace bouquet::cpu
#endif  // HWY_ONCE
