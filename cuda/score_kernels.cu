#include "cuda/score_kernels.h"

#include "cuda/device_ops.h"
#include "cuda/launch.h"
#include "cuda/rank_key.h"

namespace bouquet::cuda {
namespace {

constexpr int kSide = 16;  // threads along the rows, and along the queries, of a block
constexpr int kThreads = kSide * kSide;
constexpr int kRowsPerThread = 4;
constexpr int kRows = kSide * kRowsPerThread;  // of a block
constexpr int kDepth = 16;                     // numbers of each vector that stand in shared memory together

// Numbers [from, from + kDepth) of some vectors, as double, a column per vector; one column more than vectors keeps banks apart.
template <int Vectors>
using Panel = double[kDepth][Vectors + 1];

template <int QueriesPerThread>
struct Staged {
  Panel<kRows> ranked;
  Panel<kSide * QueriesPerThread> asking;
};

// row_of(v): where vector v starts, or null for a vector that does not exist; past its end and there the panel is 0.
template <int Vectors, typename RowOf>
__device__ void load_panel(Panel<Vectors>& panel, int from, int dimension, RowOf row_of) {
  for (int i = threadIdx.x; i < Vectors * kDepth; i += kThreads) {
    const int vector = i / kDepth, j = i % kDepth;
    const float* const start = from + j < dimension ? row_of(vector) : nullptr;
    panel[j][vector] = start != nullptr ? static_cast<double>(start[from + j]) : 0.0;
  }
}

// One block scores 64 rows for 16 * QueriesPerThread queries, one thread 4 rows for QueriesPerThread of them. Shared memory: 16 KiB at
// 4 queries per thread. Each sum runs over the numbers in index order in double, as the definition of the score demands; what is bounds
// it is the rate of double multiply-adds (a later issue scans in float first).
template <int QueriesPerThread>
__global__ void __launch_bounds__(kThreads) score_kernel(ScoreTile tile) {
  constexpr int kQueries = kSide * QueriesPerThread;
  auto& staged = *dynamic_shared<Staged<QueriesPerThread>>();
  const int along_rows = threadIdx.x % kSide, along_queries = threadIdx.x / kSide;
  const int first_row = static_cast<int>(blockIdx.x) * kRows, first_query = static_cast<int>(blockIdx.y) * kQueries;
  const auto ranked_row = [&](int v) -> const float* {
    return first_row + v < tile.rows ? tile.ranked + static_cast<int64_t>(first_row + v) * tile.dimension : nullptr;
  };
  const auto asking_row = [&](int v) -> const float* {
    const int q = first_query + v;
    if (q >= tile.queries) return nullptr;
    return tile.asking + static_cast<int64_t>(tile.asking_rows != nullptr ? tile.asking_rows[q] : q) * tile.dimension;
  };

  double sums[kRowsPerThread][QueriesPerThread] = {};
  for (int from = 0; from < tile.dimension; from += kDepth) {
    load_panel<kRows>(staged.ranked, from, tile.dimension, ranked_row);
    load_panel<kQueries>(staged.asking, from, tile.dimension, asking_row);
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kDepth; ++j)
#pragma unroll
      for (int r = 0; r < kRowsPerThread; ++r)
#pragma unroll
        for (int q = 0; q < QueriesPerThread; ++q)
          sums[r][q] += staged.ranked[j][along_rows + r * kSide] * staged.asking[j][along_queries + q * kSide];
    __syncthreads();
  }

#pragma unroll
  for (int q = 0; q < QueriesPerThread; ++q) {
    const int query = first_query + along_queries + q * kSide;
    if (query >= tile.queries) continue;
    const int32_t filter = tile.filter_words != nullptr ? tile.filter_of[query] : -1;
    const uint64_t* const words = filter >= 0 ? tile.filter_words + filter * tile.filter_pitch : nullptr;
#pragma unroll
    for (int r = 0; r < kRowsPerThread; ++r) {
      const int row = first_row + along_rows + r * kSide;
      if (row >= tile.rows) continue;
      const bool passes = words == nullptr || (words[row / 64] >> (row % 64) & 1) != 0;
      tile.scores[query * tile.pitch + row] = passes ? static_cast<float>(sums[r][q]) : __uint_as_float(kNotEligible);
    }
  }
}

template <int QueriesPerThread>
void start(const Stream& stream, const ScoreTile& tile) {
  const dim3 grid(block_count(tile.rows, kRows), block_count(tile.queries, kSide * QueriesPerThread));
  launch(stream, {grid, dim3(kThreads), sizeof(Staged<QueriesPerThread>)}, score_kernel<QueriesPerThread>, tile);
}

constexpr int kMarkThreads = 256;

// One thread marks one exclusion.
__global__ void __launch_bounds__(kMarkThreads) mark_kernel(const Exclusion* exclusions, int64_t count, float* scores, int64_t pitch) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kMarkThreads + threadIdx.x;
  if (i < count) scores[exclusions[i].query * pitch + exclusions[i].row] = __uint_as_float(kNotEligible);
}

}  // namespace

void score_tile(const Stream& stream, const ScoreTile& tile) {
  if (tile.queries <= kSide)
    start<1>(stream, tile);
  else
    start<4>(stream, tile);
}

void mark_excluded(const Stream& stream, const Exclusion* exclusions, int64_t count, float* scores, int64_t pitch) {
  if (count == 0) return;
  launch(stream, {dim3(block_count(count, kMarkThreads)), dim3(kMarkThreads)}, mark_kernel, exclusions, count, scores, pitch);
}

}  // namespace bouquet::cuda
