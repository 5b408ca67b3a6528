// How a block reads the pairs of a row: chunks of 16 rows of the fixed side, times the root of their confidences, come through two
// buffers in shared memory while the chunk before is being used; their indices and weights come two chunks ahead.
#pragma once

#include "cuda/device_ops.h"
#include "cuda/register_tiles.h"
#include "cuda/row_systems.h"

namespace bouquet::cuda {

constexpr int kGatherRows = 16;  // of a chunk
constexpr int kGatherRing = 3;   // chunks whose indices and weights are known

// Which columns of each row are read: `blocks` (1 or 2) times `size` of them, each block in the order of position<B>().
struct GatherColumns {
  int size = 0;
  int blocks = 1;
  int first[2] = {0, 0};

  __device__ __forceinline__ int width() const { return size * blocks; }
};

struct GatherMemory {
  float* rows;   // [2][kGatherRows][width]
  float* roots;  // [kGatherRing][kGatherRows] root of the confidence, 0 past the end
  float* gains;  // [kGatherRing][kGatherRows] root of the confidence times the target
  int* columns;  // [kGatherRing][kGatherRows]

  __host__ __device__ static constexpr int floats(int width) { return 2 * kGatherRows * width + 3 * kGatherRing * kGatherRows; }
  __device__ __forceinline__ static GatherMemory at(float* memory, int width) {
    float* small = memory + 2 * kGatherRows * width;
    constexpr int kEach = kGatherRing * kGatherRows;
    return {memory, small, small + kEach, reinterpret_cast<int*>(small + 2 * kEach)};
  }
};

// One pair's index and weights, on their way from global to shared memory.
struct PairWeights {
  int column = 0;
  float root = 0, gain = 0;

  __device__ __forceinline__ static PairWeights load(const DevicePairs& pairs, int64_t k, int64_t end) {
    if (k >= end) return {};
    const float root = sqrtf(pairs.confidences[k]);
    return {pairs.columns[k], root, pairs.targets == nullptr ? root : root * pairs.targets[k]};
  }
  __device__ __forceinline__ void store(const GatherMemory& memory, int chunk, int k) const {
    const int at = chunk % kGatherRing * kGatherRows + k;
    memory.columns[at] = column;
    memory.roots[at] = root;
    memory.gains[at] = gain;
  }
};

// Starts to copy the rows of a chunk whose indices stand in the ring. A warp takes whole rows.
template <int B>
__device__ __forceinline__ void start_copies(const DeviceSource& source, const GatherMemory& memory, const GatherColumns& columns,
                                             int chunk) {
  const int lane = threadIdx.x % 32, slots = columns.size / 4;
  for (int k = threadIdx.x / 32; k < kGatherRows; k += blockDim.x / 32) {
    const int at = chunk % kGatherRing * kGatherRows + k;
    const bool real = memory.roots[at] > 0;
    const float* from = source.vectors + int64_t{memory.columns[at]} * source.stride;
    float* to = memory.rows + (chunk % 2 * kGatherRows + k) * columns.width();
    for (int b = 0; b < columns.blocks; ++b, to += columns.size)
      for (int slot = lane; slot < slots; slot += 32) {
        const int j = columns.first[b] + 4 * group_at<B>(slot, columns.size);
        const bool inside = real && j < source.stride;
        copy_async(to + 4 * slot, from + (inside ? j : 0), inside ? 16 : 0);
      }
  }
  copy_async_commit();
}

// Every thread scales what it has copied itself.
__device__ __forceinline__ void scale_copies(const GatherMemory& memory, const GatherColumns& columns, int chunk) {
  const int lane = threadIdx.x % 32, slots = columns.size / 4;
  for (int k = threadIdx.x / 32; k < kGatherRows; k += blockDim.x / 32) {
    const float root = memory.roots[chunk % kGatherRing * kGatherRows + k];
    float* row = memory.rows + (chunk % 2 * kGatherRows + k) * columns.width();
    for (int b = 0; b < columns.blocks; ++b, row += columns.size)
      for (int slot = lane; slot < slots; slot += 32) {
        float4& four = *reinterpret_cast<float4*>(row + 4 * slot);
        four = make_float4(four.x * root, four.y * root, four.z * root, four.w * root);
      }
  }
}

// Calls use(rows, gains) for each chunk of pairs [begin, end), by the whole block: rows [kGatherRows][columns.width()], gains
// [kGatherRows]. One barrier a chunk; none after the last.
template <int B, typename Use>
__device__ __forceinline__ void gather_pairs(const DevicePairs& pairs, const DeviceSource& source, int64_t begin, int64_t end,
                                             const GatherMemory& memory, const GatherColumns& columns, const Use& use) {
  const int chunks = static_cast<int>((end - begin + kGatherRows - 1) / kGatherRows);
  const int own = static_cast<int>(threadIdx.x);
  if (own < kGatherRows)
    for (int c = 0; c < 2; ++c) PairWeights::load(pairs, begin + c * kGatherRows + own, end).store(memory, c, own);
  __syncthreads();
  start_copies<B>(source, memory, columns, 0);
  for (int c = 0; c < chunks; ++c) {
    copy_async_wait<0>();
    scale_copies(memory, columns, c);
    __syncthreads();
    start_copies<B>(source, memory, columns, c + 1);
    PairWeights next;
    if (own < kGatherRows) next = PairWeights::load(pairs, begin + (c + 2) * int64_t{kGatherRows} + own, end);
    use(memory.rows + c % 2 * kGatherRows * columns.width(), memory.gains + c % kGatherRing * kGatherRows);
    if (own < kGatherRows) next.store(memory, c + 2, own);
  }
  copy_async_wait<0>();  // the copies after the last chunk, all zeros
}

}  // namespace bouquet::cuda
