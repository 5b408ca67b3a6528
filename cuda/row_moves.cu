// Rows that are not solved as systems but set, shrunk or rotated.
#include "cuda/device_ops.h"
#include "cuda/eight_rows.h"
#include "cuda/launch.h"
#include "cuda/row_systems.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kRotatedRows = 8;  // of a block: they share what is read of the basis

// One thread: one element.
__global__ void clear_rows_kernel(const RowList rows, int dimension, const DeviceSolutions out) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e < int64_t{rows.count} * dimension) out.solved[rows.rows[e / dimension] * out.stride + e % dimension] = 0;
}

// One thread: one element.
__global__ void shrink_means_kernel(const DevicePairs pairs, const DeviceSource source, const RowList rows, const DeviceSolutions out) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= int64_t{rows.count} * source.dimension) return;
  const int64_t row = rows.rows[e / source.dimension], j = e % source.dimension;
  const auto ridge = static_cast<float>(pairs.ridges[row]);
  out.solved[row * out.stride + j] = ridge * pairs.means[row * source.stride + j] / (source.diagonal[j] + ridge);
}

// One thread: one element of the padded rows.
__global__ void pad_rows_kernel(const float* from, int64_t rows, int d, int stride, float* to) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= rows * stride) return;
  const int64_t j = e % stride;
  to[e] = j < d ? from[e / stride * d + j] : 0;
}

// One block: 8 rows, a thread some columns of them. Floor: rows d² multiply-adds; the basis comes from L2, 4 d² bytes a block.
// Shared memory: 8 rows, transposed, 4 KB at d = 128.
__global__ void rotate_back_kernel(const float* basis, int dimension, int stride, const RowList rows, const DeviceSolutions out) {
  float* const memory = dynamic_shared<float>();  // [dimension][kRotatedRows]
  const int first = static_cast<int>(blockIdx.x) * kRotatedRows;
  const int count = min(kRotatedRows, rows.count - first);
  for (int e = threadIdx.x; e < kRotatedRows * dimension; e += kThreads) {
    const int i = e / dimension, k = e % dimension;
    memory[k * kRotatedRows + i] = i < count ? out.solved[rows.rows[first + i] * out.stride + k] : 0;
  }
  __syncthreads();
  for (int j = threadIdx.x; j < dimension; j += kThreads) {
    float sums[kRotatedRows] = {};
#pragma unroll 4
    for (int k = 0; k < dimension; ++k) {
      const float v = basis[int64_t{k} * stride + j];
      add_to_eight_rows(memory + k * kRotatedRows, v, sums);
    }
#pragma unroll
    for (int i = 0; i < kRotatedRows; ++i)
      if (i < count) out.solved[rows.rows[first + i] * out.stride + j] = sums[i];
  }
}

}  // namespace

void clear_rows(const RowList& rows, int32_t dimension, const DeviceSolutions& out, const Stream& stream) {
  if (rows.count == 0) return;
  launch<clear_rows_kernel>(stream, {dim3(block_count(int64_t{rows.count} * dimension, kThreads)), dim3(kThreads)}, rows, dimension, out);
}

void shrink_means(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                  const Stream& stream) {
  if (rows.count == 0) return;
  launch<shrink_means_kernel>(stream, {dim3(block_count(int64_t{rows.count} * source.dimension, kThreads)), dim3(kThreads)}, pairs, source,
                              rows, out);
}

void pad_rows(const float* from, int64_t rows, int32_t d, float* to, const Stream& stream) {
  const int32_t stride = row_stride(d);
  launch<pad_rows_kernel>(stream, {dim3(block_count(rows * stride, kThreads)), dim3(kThreads)}, from, rows, d, stride, to);
}

void rotate_back(const float* basis, int32_t dimension, const RowList& rows, const DeviceSolutions& out, const Stream& stream) {
  if (rows.count == 0) return;
  launch<rotate_back_kernel>(
      stream, {dim3(block_count(rows.count, kRotatedRows)), dim3(kThreads), static_cast<size_t>(dimension) * kRotatedRows * sizeof(float)},
      basis, dimension, row_stride(dimension), rows, out);
}

}  // namespace bouquet::cuda
