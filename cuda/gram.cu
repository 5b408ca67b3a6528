#include "cuda/gram.h"

#include <algorithm>

#include "cuda/launch.h"
#include "cuda/solve_rules.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kSumDoubles = int64_t{1} << 21;  // 16 MB of partial sums
constexpr int64_t kMostParts = 32;

int32_t parts_of(int64_t d) { return static_cast<int32_t>(std::clamp<int64_t>(kSumDoubles / (d * d), 1, kMostParts)); }
int64_t part_rows_of(int64_t d, int64_t chunk_doubles) { return chunk_doubles / (d * parts_of(d)); }

// One thread: one element of a chunk in double; zeros past the table.
__global__ void widen_kernel(const float* table, int64_t first_row, int64_t rows, int d, int stride, int64_t count, double* chunk) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  const int64_t row = first_row + e / d;
  chunk[e] = row < rows ? static_cast<double>(table[row * stride + e % d]) : 0.0;
}

// One thread: one element of the matrix, from the lower triangles of the partial sums in order.
__global__ void add_parts_kernel(const double* sums, int parts, int d, double* gram) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x, size = int64_t{d} * d;
  if (e >= size) return;
  const int64_t i = e / d, j = e % d;
  const int64_t at = i < j ? i * d + j : j * d + i;
  double sum = 0;
  for (int p = 0; p < parts; ++p) sum += sums[p * size + at];
  gram[e] = sum;
}

}  // namespace

GramSums::GramSums(int32_t d, const Stream& stream, int64_t chunk_doubles)
    : d_(d),
      parts_(parts_of(d)),
      part_rows_(part_rows_of(d, chunk_doubles)),
      chunk_(parts_ * part_rows_ * d, stream),
      sums_(int64_t{parts_} * d * d, stream) {}

void GramSums::count_memory(int32_t d, MemoryTable& table) {
  table.add("Gram matrices", (parts_of(d) * part_rows_of(d, kChunkDoubles) * d + int64_t{parts_of(d)} * d * d) * int64_t{sizeof(double)});
}

void GramSums::sum(const float* table, int64_t rows, double* gram, const BlasHandle& blas, const Stream& stream) {
  const double one = 1;
  const int64_t chunk_rows = parts_ * part_rows_;
  for (int64_t first = 0; first < std::max<int64_t>(rows, 1); first += chunk_rows) {
    // The last chunk has shorter partitions, all of the same length.
    const int64_t part_rows = std::min(part_rows_, (rows - first + parts_ - 1) / parts_);
    const int64_t count = parts_ * part_rows * d_;
    launch<widen_kernel>(stream, {dim3(block_count(count, kThreads)), dim3(kThreads)}, table, first, rows, d_, row_stride(d_), count,
                         chunk_.data());
    const double keep = first == 0 ? 0 : 1;
    // Row-major rows are the columns of a column-major matrix A; this is A Aᵀ.
    check(cublasDgemmStridedBatched(blas.get(), CUBLAS_OP_N, CUBLAS_OP_T, d_, d_, static_cast<int>(part_rows), &one, chunk_.data(), d_,
                                    part_rows * d_, chunk_.data(), d_, part_rows * d_, &keep, sums_.data(), d_, int64_t{d_} * d_, parts_));
  }
  launch<add_parts_kernel>(stream, {dim3(block_count(int64_t{d_} * d_, kThreads)), dim3(kThreads)}, sums_.data(), parts_, d_, gram);
}

}  // namespace bouquet::cuda
