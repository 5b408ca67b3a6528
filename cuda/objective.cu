#include "cuda/objective.h"

#include <algorithm>

#include "cuda/launch.h"
#include "cuda/solve_rules.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostBlocks = 1024;  // of each term
constexpr int kLanes = 8;          // that share a pair or a row
constexpr int kGroups = kThreads / kLanes;
constexpr int kTerms = 6;  // misfit, two penalties of rows, the Gram product, two penalties of maps

// Blocks of a term: of its size alone, so that the sums have one order.
int32_t blocks_of(int64_t count, int64_t per_block) {
  return static_cast<int32_t>(std::clamp<int64_t>((count + per_block - 1) / per_block, 1, kMostBlocks));
}

int32_t map_blocks(const ObjectivePrior& prior) { return prior.map_rows == 0 ? 0 : blocks_of(prior.map_rows, 8 * kGroups); }

// Adds up one number per thread of the block, in order, into to[blockIdx.x].
__device__ __forceinline__ void add_block(double value, double* to) {
  __shared__ double values[kThreads];
  values[threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double sum = 0;
#pragma unroll 8
  for (int i = 0; i < kThreads; ++i) sum += values[i];
  to[blockIdx.x] = sum;
}

__device__ __forceinline__ double add_lanes(double value) {
  for (int step = kLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xFFFFFFFF, value, step);
  return value;
}

// Where the share of one of the grid's groups of lanes begins: equal parts of `count`.
__device__ __forceinline__ int64_t share_begin(int64_t count, int64_t group) {
  const int64_t all = int64_t{gridDim.x} * kGroups;
  return count / all * group + count % all * group / all;
}

// The last row that begins at or before pair k and is not empty.
__device__ __forceinline__ int64_t row_of_pair(const int64_t* offsets, int64_t rows, int64_t k) {
  int64_t low = 0, high = rows;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (offsets[middle] <= k)
      low = middle;
    else
      high = middle;
  }
  return low;
}

struct MisfitArguments {
  DevicePairs pairs;
  int64_t rows, pair_count;
  const float* row_factors;
  const float* column_factors;
  int stride;
};

// Eight lanes: a run of neighbouring pairs. Sum of c (r - p q)². Floor: pairs times 4 d bytes from L2, or their 2 d flops in double.
__global__ void __launch_bounds__(kThreads) misfit_kernel(const MisfitArguments a, double* sums) {
  const int lane = threadIdx.x % kLanes;
  const int64_t group = int64_t{blockIdx.x} * kGroups + threadIdx.x / kLanes;
  const int64_t begin = share_begin(a.pair_count, group), end = share_begin(a.pair_count, group + 1);
  int64_t row = begin < end ? row_of_pair(a.pairs.offsets, a.rows, begin) : 0;
  // The lanes of a warp go round together, as their shuffles must.
  const int64_t longest = a.pair_count / (int64_t{gridDim.x} * kGroups) + 1;
  double sum = 0;
  for (int64_t step = 0; step < longest; ++step) {
    const int64_t k = begin + step;
    double score = 0;
    if (k < end) {
      while (a.pairs.offsets[row + 1] <= k) ++row;
      const float* p = a.row_factors + row * a.stride;
      const float* q = a.column_factors + int64_t{a.pairs.columns[k]} * a.stride;
      for (int j = 4 * lane; j < a.stride; j += 4 * kLanes) {
        const float4 x = *reinterpret_cast<const float4*>(p + j), y = *reinterpret_cast<const float4*>(q + j);
        score += static_cast<double>(x.x) * static_cast<double>(y.x);
        score += static_cast<double>(x.y) * static_cast<double>(y.y);
        score += static_cast<double>(x.z) * static_cast<double>(y.z);
        score += static_cast<double>(x.w) * static_cast<double>(y.w);
      }
    }
    score = add_lanes(score);
    if (k < end && lane == 0) {
      const double gap = (a.pairs.targets == nullptr ? 1.0 : static_cast<double>(a.pairs.targets[k])) - score;
      sum += static_cast<double>(a.pairs.confidences[k]) * gap * gap;
    }
  }
  add_block(sum, sums);
}

struct PenaltyArguments {
  const double* ridges;  // [rows]
  const float* factors;
  const float* means;  // or null: 0
  int64_t rows;
  int stride;
};

// Eight lanes: neighbouring rows. Sum of ridge |x - m|².
__global__ void __launch_bounds__(kThreads) penalty_kernel(const PenaltyArguments a, double* sums) {
  const int lane = threadIdx.x % kLanes;
  const int64_t group = int64_t{blockIdx.x} * kGroups + threadIdx.x / kLanes;
  double sum = 0;
  for (int64_t row = share_begin(a.rows, group); row < share_begin(a.rows, group + 1); ++row) {
    double square = 0;
    for (int j = lane; j < a.stride; j += kLanes) {
      const double mean = a.means == nullptr ? 0.0 : static_cast<double>(a.means[row * a.stride + j]);
      const double gap = static_cast<double>(a.factors[row * a.stride + j]) - mean;
      square += gap * gap;
    }
    sum += a.ridges[row] * square;
  }
  add_block(sum, sums);
}

// The inner product of two matrices.
__global__ void __launch_bounds__(kThreads) product_kernel(const double* a, const double* b, int64_t count, double* sums) {
  double sum = 0;
  for (int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x; e < count; e += int64_t{gridDim.x} * kThreads) sum += a[e] * b[e];
  add_block(sum, sums);
}

}  // namespace

// All sums are downloaded, also those of blocks that a small shop lacks.
Objective::Objective(const Stream& stream) : sums_(kTerms * kMostBlocks, stream), host_sums_(kTerms * kMostBlocks) { sums_.fill_bytes(0); }

void Objective::count_memory(MemoryTable& table) { table.add("objective", kTerms * kMostBlocks * int64_t{sizeof(double)}); }

double Objective::evaluate(const ObjectiveSide& customers, const ObjectiveSide& items, int64_t pair_count, int32_t d,
                           double unobserved_weight, const Stream& stream) {
  const int32_t stride = row_stride(d);
  // Pairs or rows or elements that make a block worth its while.
  const int32_t blocks[kTerms] = {blocks_of(pair_count, 32 * kGroups), blocks_of(customers.count, 8 * kGroups),
                                  blocks_of(items.count, 8 * kGroups), blocks_of(int64_t{d} * d, 4 * kThreads),
                                  map_blocks(customers.prior),         map_blocks(items.prior)};
  const auto shape = [&](int term) { return LaunchShape{dim3(static_cast<unsigned>(blocks[term])), dim3(kThreads)}; };
  double* const sums = sums_.data();
  launch<misfit_kernel>(stream, shape(0), {customers.pairs, customers.count, pair_count, customers.factors, items.factors, stride}, sums);
  const auto penalty = [&](int term, const PenaltyArguments& a) {
    if (blocks[term] > 0) launch<penalty_kernel>(stream, shape(term), a, sums + term * kMostBlocks);
  };
  penalty(1, {customers.pairs.ridges, customers.factors, customers.prior.means, customers.count, stride});
  penalty(2, {items.pairs.ridges, items.factors, items.prior.means, items.count, stride});
  penalty(4, {customers.prior.map_ridges, customers.prior.map, nullptr, customers.prior.map_rows, stride});
  penalty(5, {items.prior.map_ridges, items.prior.map, nullptr, items.prior.map_rows, stride});
  launch<product_kernel>(stream, shape(3), customers.gram, items.gram, int64_t{d} * d, sums + 3 * kMostBlocks);
  sums_.download(host_sums_.span());
  stream.synchronize();
  double terms[kTerms] = {};
  for (int t = 0; t < kTerms; ++t)
    for (int b = 0; b < blocks[t]; ++b) terms[t] += host_sums_[t * kMostBlocks + b];
  return terms[0] + terms[1] + terms[2] + unobserved_weight * terms[3] + terms[4] + terms[5];
}

}  // namespace bouquet::cuda
