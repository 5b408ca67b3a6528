// How a block reads the pairs of a row: chunks of 16 rows of the fixed side, times the root of their confidences, come through two
// buffers in shared memory while the chunk before is being used; their indices and weights come two chunks ahead.
#pragma once

#include "cuda/device_ops.h"
#include "cuda/register_tiles.h"
#include "cuda/row_systems.h"

namespace bouquet::cuda {

// What every kernel that sums or solves rows is given.
struct SystemArguments {
  DevicePairs pairs;
  DeviceSource source;
  RowList rows;
  DeviceSolutions out;
  PartialSums sums;
  const int32_t* first_slots;  // null: every row is summed here
  int size;                    // of the system in memory
};

constexpr int kGatherRows = 16;  // of a chunk
constexpr int kGatherRing = 3;   // chunks whose indices and weights are known

// Which columns of each row are read: `blocks` (1 or 2) times `size` of them, each block laid out as RowLayout<B, W> says.
struct GatherColumns {
  int size = 0;
  int blocks = 1;
  int first[2] = {0, 0};
};

template <int B, int W, int kBlocks = 1>
struct GatherMemory {
  static constexpr int kBlock = RowLayout<B, W>::kStride * kGatherRows;  // floats of one block of a chunk
  static constexpr int kChunk = kBlock * kBlocks;
  static constexpr int kFloats = 2 * kChunk + 3 * kGatherRing * kGatherRows;

  float* rows;   // [2][kBlocks][kGatherRows] rows
  float* roots;  // [kGatherRing][kGatherRows] root of the confidence, 0 past the end
  float* gains;  // [kGatherRing][kGatherRows] root of the confidence times the target
  int* columns;  // [kGatherRing][kGatherRows]

  __device__ __forceinline__ static GatherMemory at(float* memory) {
    float* small = memory + 2 * kChunk;
    constexpr int kEach = kGatherRing * kGatherRows;
    return {memory, small, small + kEach, reinterpret_cast<int*>(small + 2 * kEach)};
  }
};

// One pair's index and weights, on their way from global to shared memory.
struct PairWeights {
  int column = 0;
  float root = 0, gain = 0;

  // Pair k of the `count` from `begin` on; nothing past their end.
  __device__ __forceinline__ static PairWeights load(const DevicePairs& pairs, int64_t begin, int k, int count) {
    if (k >= count) return {};
    const float root = sqrtf(pairs.confidences[begin + k]);
    return {pairs.columns[begin + k], root, pairs.targets == nullptr ? root : root * pairs.targets[begin + k]};
  }
  template <typename Memory>
  __device__ __forceinline__ void store(const Memory& memory, int chunk, int k) const {
    const int at = chunk % kGatherRing * kGatherRows + k;
    memory.columns[at] = column;
    memory.roots[at] = root;
    memory.gains[at] = gain;
  }
};

// Starts to copy the rows of a chunk whose indices stand in the ring. A warp takes whole rows.
template <int B, int W, int kBlocks>
__device__ __forceinline__ void start_copies(const DeviceSource& source, const GatherMemory<B, W, kBlocks>& memory,
                                             const GatherColumns& columns, int chunk) {
  const int lane = threadIdx.x % 32, groups = columns.size / 4;
  for (int k = threadIdx.x / 32; k < kGatherRows; k += blockDim.x / 32) {
    const int at = chunk % kGatherRing * kGatherRows + k;
    const bool real = memory.roots[at] > 0;
    const float* from = source.vectors + int64_t{memory.columns[at]} * source.stride;
    float* to = memory.rows + chunk % 2 * memory.kChunk + k * RowLayout<B, W>::kStride;
#pragma unroll
    for (int b = 0; b < kBlocks; ++b) {
      if (b >= columns.blocks) break;
      for (int group = lane; group < groups; group += 32) {
        const int j = columns.first[b] + 4 * group;
        const bool inside = real && j < source.stride;
        copy_async(to + b * memory.kBlock + position<B, W>(4 * group), from + (inside ? j : 0), inside ? 16 : 0);
      }
    }
  }
  copy_async_commit();
}

// Every thread scales what it has copied itself.
template <int B, int W, int kBlocks>
__device__ __forceinline__ void scale_copies(const GatherMemory<B, W, kBlocks>& memory, const GatherColumns& columns, int chunk) {
  const int lane = threadIdx.x % 32, groups = columns.size / 4;
  for (int k = threadIdx.x / 32; k < kGatherRows; k += blockDim.x / 32) {
    const float root = memory.roots[chunk % kGatherRing * kGatherRows + k];
    float* row = memory.rows + chunk % 2 * memory.kChunk + k * RowLayout<B, W>::kStride;
#pragma unroll
    for (int b = 0; b < kBlocks; ++b) {
      if (b >= columns.blocks) break;
      for (int group = lane; group < groups; group += 32) {
        float4& four = *reinterpret_cast<float4*>(row + b * memory.kBlock + position<B, W>(4 * group));
        four = make_float4(four.x * root, four.y * root, four.z * root, four.w * root);
      }
    }
  }
}

// Calls use(rows, gains) for each chunk of the `count` pairs from `begin` on, by the whole block: rows as in GatherMemory, gains
// [kGatherRows]. One barrier a chunk; none after the last.
template <int B, int W, int kBlocks, typename Use>
__device__ __forceinline__ void gather_pairs(const DevicePairs& pairs, const DeviceSource& source, int64_t begin, int count,
                                             const GatherMemory<B, W, kBlocks>& memory, const GatherColumns& columns, const Use& use) {
  const int chunks = (count + kGatherRows - 1) / kGatherRows;
  const int own = static_cast<int>(threadIdx.x);
  if (own < kGatherRows)
    for (int c = 0; c < 2; ++c) PairWeights::load(pairs, begin, c * kGatherRows + own, count).store(memory, c, own);
  __syncthreads();
  start_copies(source, memory, columns, 0);
  for (int c = 0; c < chunks; ++c) {
    copy_async_wait<0>();
    scale_copies(memory, columns, c);
    __syncthreads();
    start_copies(source, memory, columns, c + 1);
    PairWeights next;
    if (own < kGatherRows) next = PairWeights::load(pairs, begin, (c + 2) * kGatherRows + own, count);
    use(memory.rows + c % 2 * memory.kChunk, memory.gains + c % kGatherRing * kGatherRows);
    if (own < kGatherRows) next.store(memory, c + 2, own);
  }
  copy_async_wait<0>();  // the copies after the last chunk, all zeros
}

}  // namespace bouquet::cuda
