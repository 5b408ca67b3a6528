#include "cuda/score_kernels.h"

#include <limits>

#include "cuda/device_ops.h"
#include "cuda/launch.h"
#include "cuda/rank_key.h"

namespace bouquet::cuda {
namespace {

constexpr int kSide = 16;  // threads along the rows, and along the queries, of a block
constexpr int kThreads = kSide * kSide;
constexpr int kGroup = 4;  // neighbouring rows that a thread reads from shared memory, and writes, at once
constexpr int kGroups = 2;
constexpr int kGroupPitch = kSide * kGroup;   // rows from one group of a thread to its next
constexpr int kRows = kGroups * kGroupPitch;  // of a block
constexpr int kDepth = 16;                    // numbers of each vector that stand in shared memory together
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Numbers [from, from + kDepth) of some vectors, a column per vector; four columns more than vectors keep banks apart and rows aligned.
template <int Vectors>
using Panel = float[kDepth][Vectors + 4];

template <int Queries>
struct Staged {
  alignas(16) Panel<kRows> ranked;
  alignas(16) Panel<Queries> asking;
  float largest_ranked[kRows];  // the largest magnitude in each vector
  float largest_asking[Queries];
};

// row_of(v): where vector v starts, or null for a vector that does not exist; past its end and there the panel is 0. Notes in `largest` the
// largest magnitudes that this thread has seen, of vector threadIdx.x / kDepth + i * kSide in place i.
template <int Vectors, typename RowOf>
__device__ __forceinline__ void load_panel(Panel<Vectors>& panel, float (&largest)[Vectors / kSide], int from, int dimension,
                                           RowOf row_of) {
  const int j = threadIdx.x % kDepth;
#pragma unroll
  for (int i = 0; i < Vectors / kSide; ++i) {
    const int vector = threadIdx.x / kDepth + i * kSide;
    const float* const start = from + j < dimension ? row_of(vector) : nullptr;
    const float x = start != nullptr ? start[from + j] : 0.0f;
    panel[j][vector] = x;
    largest[i] = fmaxf(largest[i], fabsf(x));
  }
}

// What the kDepth threads of each vector have noted, put together in to[vector].
template <int Vectors>
__device__ __forceinline__ void share_largest(const float (&largest)[Vectors / kSide], float* to) {
#pragma unroll
  for (int i = 0; i < Vectors / kSide; ++i) {
    float x = largest[i];
    for (int step = kDepth / 2; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFF, x, step));
    if (threadIdx.x % kDepth == 0) to[threadIdx.x / kDepth + i * kSide] = x;
  }
}

// How far a sum of d products in float can be from the score, for vectors whose largest magnitudes have the product m: in units of the last
// place the rounding of d products and d sums, each at most d m; below 2^-126, where the unit is fixed, 2^-149 for each. Twice that covers
// the rounding of the score and of this bound itself.
struct ErrorBound {
  float relative, absolute;
  __device__ __forceinline__ explicit ErrorBound(int dimension)
      : relative(static_cast<float>(dimension) * static_cast<float>(dimension) * 0x1p-23f),
        absolute(static_cast<float>(dimension) * 0x1p-147f) {}
  // Never below the score; infinite where the sum has left the range of float, which the score need not have.
  __device__ __forceinline__ float upper(float sum, float m) const {
    return fabsf(sum) < kInfinity ? sum + (relative * m + absolute) : kInfinity;
  }
};

// One block bounds the scores of 128 rows for 16 * QueriesPerThread queries, one thread those of two times 4 rows for QueriesPerThread of
// them. Shared memory: 14 KiB at 4 queries per thread. The sums are in float; how far they are from the score at most is added to them
// (docs/algorithms/ranking.md). Floor: the rate of float multiply-adds, or reading the rows where there are few queries.
template <int QueriesPerThread>
__global__ void __launch_bounds__(kThreads) score_kernel(ScoreTile tile) {
  constexpr int kQueries = kSide * QueriesPerThread;
  auto& staged = *dynamic_shared<Staged<kQueries>>();
  const int along_rows = threadIdx.x % kSide, along_queries = threadIdx.x / kSide;
  const int first_row = static_cast<int>(blockIdx.x) * kRows, first_query = static_cast<int>(blockIdx.y) * kQueries;
  const auto ranked_row = [&](int v) -> const float* {
    return first_row + v < tile.rows ? tile.ranked + static_cast<int64_t>(first_row + v) * tile.dimension : nullptr;
  };
  const auto asking_row = [&](int v) -> const float* {
    return first_query + v < tile.queries ? asking_vector(tile, first_query + v) : nullptr;
  };

  float sums[QueriesPerThread][kGroups][kGroup] = {};
  float largest_ranked[kRows / kSide] = {}, largest_asking[QueriesPerThread] = {};
  for (int from = 0; from < tile.dimension; from += kDepth) {
    load_panel<kRows>(staged.ranked, largest_ranked, from, tile.dimension, ranked_row);
    load_panel<kQueries>(staged.asking, largest_asking, from, tile.dimension, asking_row);
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kDepth; ++j) {
      float asking[QueriesPerThread];
#pragma unroll
      for (int q = 0; q < QueriesPerThread; ++q) asking[q] = staged.asking[j][along_queries * QueriesPerThread + q];
#pragma unroll
      for (int g = 0; g < kGroups; ++g) {
        const float4 ranked = *reinterpret_cast<const float4*>(&staged.ranked[j][g * kGroupPitch + along_rows * kGroup]);
#pragma unroll
        for (int q = 0; q < QueriesPerThread; ++q) {
          sums[q][g][0] += ranked.x * asking[q];
          sums[q][g][1] += ranked.y * asking[q];
          sums[q][g][2] += ranked.z * asking[q];
          sums[q][g][3] += ranked.w * asking[q];
        }
      }
    }
    __syncthreads();
  }
  share_largest<kRows>(largest_ranked, staged.largest_ranked);
  share_largest<kQueries>(largest_asking, staged.largest_asking);
  __syncthreads();

  const ErrorBound error(tile.dimension);
#pragma unroll
  for (int q = 0; q < QueriesPerThread; ++q) {
    const int in_block = along_queries * QueriesPerThread + q, query = first_query + in_block;
    if (query >= tile.queries) continue;
    const int32_t filter = tile.filter_words != nullptr ? tile.filter_of[query] : -1;
    const uint64_t* const words = filter >= 0 ? tile.filter_words + filter * tile.filter_pitch : nullptr;
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      const int row_in_block = g * kGroupPitch + along_rows * kGroup, row = first_row + row_in_block;
      if (row >= tile.rows) continue;
      float bounds[kGroup];
#pragma unroll
      for (int r = 0; r < kGroup; ++r) {
        const bool passes = words == nullptr || (words[(row + r) / 64] >> ((row + r) % 64) & 1) != 0;
        const float bound = error.upper(sums[q][g][r], staged.largest_asking[in_block] * staged.largest_ranked[row_in_block + r]);
        bounds[r] = passes ? bound : __uint_as_float(kNotEligible);
      }
      *reinterpret_cast<float4*>(tile.bounds + query * tile.pitch + row) = make_float4(bounds[0], bounds[1], bounds[2], bounds[3]);
    }
  }
}

template <int QueriesPerThread>
void start(const Stream& stream, const ScoreTile& tile) {
  const dim3 grid(block_count(tile.rows, kRows), block_count(tile.queries, kSide * QueriesPerThread));
  launch<score_kernel<QueriesPerThread>>(stream, {grid, dim3(kThreads), sizeof(Staged<kSide * QueriesPerThread>)}, tile);
}

constexpr int kMarkThreads = 256;

// One thread marks one exclusion.
__global__ void __launch_bounds__(kMarkThreads) mark_kernel(const Exclusion* exclusions, int64_t count, float* bounds, int64_t pitch) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kMarkThreads + threadIdx.x;
  if (i < count) bounds[exclusions[i].query * pitch + exclusions[i].row] = __uint_as_float(kNotEligible);
}

}  // namespace

void score_tile(const Stream& stream, const ScoreTile& tile) {
  if (tile.queries <= kSide)
    start<1>(stream, tile);
  else
    start<4>(stream, tile);
}

void mark_excluded(const Stream& stream, const Exclusion* exclusions, int64_t count, float* bounds, int64_t pitch) {
  if (count == 0) return;
  launch<mark_kernel>(stream, {dim3(block_count(count, kMarkThreads)), dim3(kMarkThreads)}, exclusions, count, bounds, pitch);
}

}  // namespace bouquet::cuda
