#include "cuda/prior_means.h"

#include "cuda/eight_rows.h"
#include "cuda/launch.h"
#include "cuda/solve_rules.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kRows = 8;    // of a block: they share what is read of the map
constexpr int kDense = 64;  // dense columns at a time

struct MeansArguments {
  DeviceAttributes attributes;
  const float* map;
  int stride;
  RowList rows;
  float* means;
};

__device__ __forceinline__ int64_t row_at(const RowList& rows, int i) { return rows.rows == nullptr ? i : rows.rows[i]; }

// The dense columns of the block's rows, 64 at a time, for one column of the map. Called by the whole block.
__device__ __forceinline__ void add_dense(const MeansArguments& a, int first, int count, int j, float (&sums)[kRows]) {
  alignas(16) __shared__ float chunk[kDense * kRows];  // [kDense][kRows]
  const int dense_count = a.attributes.dense_count;
  for (int begin = 0; begin < dense_count; begin += kDense) {
    const int width = min(kDense, dense_count - begin);
    __syncthreads();
    for (int e = threadIdx.x; e < kDense * kRows; e += kThreads) {
      const int i = e / kDense, f = e % kDense;
      chunk[f * kRows + i] = i < count && f < width ? a.attributes.dense[row_at(a.rows, first + i) * dense_count + begin + f] : 0;
    }
    __syncthreads();
    if (j >= a.stride) continue;  // nothing to add up, but the barriers are everybody's
    const float* map = a.map + int64_t{begin} * a.stride + j;
#pragma unroll 4
    for (int f = 0; f < width; ++f, map += a.stride) {
      const float v = *map;
      add_to_eight_rows(chunk + f * kRows, v, sums);
    }
  }
}

// One block: 8 rows, a thread one column of the map at a time. Floor: rows (D + sparse entries) d multiply-adds; of the map a block reads
// 4 D d bytes and 4 d for each sparse entry, from L2. Static shared memory: 2 KB.
__global__ void __launch_bounds__(kThreads) prior_means_kernel(const MeansArguments a) {
  const int first = static_cast<int>(blockIdx.x) * kRows;
  const int count = min(kRows, a.rows.count - first);
  for (int begin = 0; begin < a.stride; begin += kThreads) {
    const int j = begin + static_cast<int>(threadIdx.x);
    const float intercept = j < a.stride ? a.map[int64_t{a.attributes.column_count} * a.stride + j] : 0;
    float sums[kRows];
#pragma unroll
    for (int i = 0; i < kRows; ++i) sums[i] = intercept;
    add_dense(a, first, count, j, sums);
    if (j >= a.stride) continue;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      if (i >= count) break;
      const int64_t row = row_at(a.rows, first + i);
      const int64_t end = a.attributes.offsets[row + 1];
#pragma unroll 4
      for (int64_t k = a.attributes.offsets[row]; k < end; ++k)
        sums[i] += a.attributes.values[k] * a.map[int64_t{a.attributes.columns[k]} * a.stride + j];
      a.means[row * a.stride + j] = sums[i];
    }
  }
}

// What the rotated map has room for: nothing where no row is solved in the eigenbasis.
int64_t rotated_rows(int64_t rows, int32_t d) { return longest_dual_row(d) > 0 ? rows : 0; }

}  // namespace

AttributeArrays::AttributeArrays(const AttributeRows& rows, const Stream& stream)
    : column_count_(rows.column_count),
      dense_count_(rows.dense_count),
      dense_(rows.dense, stream),
      values_(rows.values, stream),
      offsets_(rows.offsets, stream),
      columns_(rows.columns, stream) {}

void AttributeArrays::count_memory(const AttributeRows& rows, MemoryTable& table) {
  table.add("attributes", static_cast<int64_t>(rows.dense.size_bytes() + rows.values.size_bytes() + rows.offsets.size_bytes() +
                                               rows.columns.size_bytes()));
}

DeviceAttributes AttributeArrays::view() const {
  return {column_count_, dense_count_, dense_.data(), offsets_.data(), columns_.data(), values_.data()};
}

PriorMap::PriorMap(int32_t column_count, int32_t d, const Stream& stream)
    : table_(int64_t{column_count} + 1, d, stream), rotated_(rotated_rows(int64_t{column_count} + 1, d), d, stream) {}

void PriorMap::count_memory(int32_t column_count, int32_t d, MemoryTable& table) {
  const int64_t rows = int64_t{column_count} + 1;
  table.add("prior maps", FactorArray::bytes(rows, d) + FactorArray::bytes(rotated_rows(rows, d), d));
}

void PriorMap::rotate(const SolveSource& source, const BlasHandle& blas) {
  if (source.has_basis()) source.rotate(table_.data(), table_.rows(), rotated_.data(), blas);
}

void compute_prior_means(const DeviceAttributes& attributes, const float* map, int32_t d, const RowList& rows, float* means,
                         const Stream& stream) {
  if (rows.count == 0) return;
  launch<prior_means_kernel>(stream, {dim3(block_count(rows.count, kRows)), dim3(kThreads)}, {attributes, map, row_stride(d), rows, means});
}

}  // namespace bouquet::cuda
