#include "cuda/top_k_kernels.h"

#include "cuda/device_ops.h"
#include "cuda/launch.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 4;                    // candidates that a thread looks at between two barriers
constexpr int kPerStep = kThreads * kPerThread;  // of a block
constexpr int kRoom = 2048;                      // keys in shared memory: the k best, and all of one step
static_assert(kRoom >= 1024 + kPerStep && (kRoom & (kRoom - 1)) == 0);

// The best keys that a block has seen, in its shared memory. Behind the k best, in any order, stand new ones that beat the k-th.
struct Best {
  RankKey* keys;  // [kRoom]
  int32_t* count;
  int k;
  int scored;  // keys that hold a score; those behind them hold the bound of one
};

// Sorts keys[0, size), size a power of two, largest first: Batcher's bitonic sort. Ends with a barrier.
__device__ void sort_descending(RankKey* keys, int size) {
  for (int length = 2; length <= size; length *= 2)
    for (int stride = length / 2; stride > 0; stride /= 2) {
      for (int i = threadIdx.x; i < size / 2; i += kThreads) {
        const int low = i / stride * stride * 2 + i % stride, high = low + stride;
        const bool descending = (low & length) == 0;
        const RankKey a = keys[low], b = keys[high];
        if ((a < b) == descending) {
          keys[low] = b;
          keys[high] = a;
        }
      }
      __syncthreads();
    }
}

// Scores what is there by score_of(key), sorts it and keeps the best k. Called by all threads after a barrier; ends with one. Returns the
// key to beat from now on.
template <typename ScoreOf>
__device__ RankKey keep_best(Best& best, ScoreOf score_of) {
  const int count = *best.count, k = best.k;
  for (int i = best.scored + threadIdx.x; i < count; i += kThreads) best.keys[i] = score_of(best.keys[i]);
  int size = 1;
  while (size < count) size *= 2;
  for (int i = count + threadIdx.x; i < size; i += kThreads) best.keys[i] = kNoKey;
  __syncthreads();
  sort_descending(best.keys, size);
  if (threadIdx.x == 0 && count > k) *best.count = k;
  const RankKey to_beat = count >= k ? best.keys[k - 1] : kNoKey;
  best.scored = min(count, k);
  __syncthreads();
  return to_beat;
}

// Takes the candidates key_at(0) .. key_at(count - 1) into `best`, which holds its best sorted and `to_beat` fits; kNoKey is none. A
// candidate's key is at least that of its score. Returns whether anything was taken, in all threads the same.
template <typename KeyAt, typename ScoreOf>
__device__ bool take(Best& best, RankKey to_beat, int64_t count, KeyAt key_at, ScoreOf score_of) {
  bool changed = false;
  for (int64_t from = 0; from < count; from += kPerStep) {
    RankKey keys[kPerThread];
    bool any = false;
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
      const int64_t at = from + i * kThreads + threadIdx.x;
      keys[i] = at < count ? key_at(at) : kNoKey;
      any |= keys[i] > to_beat;
    }
    if (__syncthreads_or(any) == 0) continue;
    changed = true;
#pragma unroll
    for (int i = 0; i < kPerThread; ++i)
      if (keys[i] > to_beat) best.keys[atomicAdd(best.count, 1)] = keys[i];
    __syncthreads();
    if (*best.count > kRoom - kPerStep) to_beat = keep_best(best, score_of);
  }
  return changed;
}

// The score of engine/score.h: in double, in index order, rounded once.
__device__ float score(const float* asking, const float* ranked, int dimension) {
  double sum = 0;
#pragma unroll 8
  for (int j = 0; j < dimension; ++j) sum += static_cast<double>(asking[j]) * static_cast<double>(ranked[j]);
  return static_cast<float>(sum);
}

// Block (s, q) takes slice s of the tile for query q. Shared memory: 16 KiB. Reads each bound once; most steps end at the first barrier,
// because few bounds beat the k-th best score. One thread scores a row that got on the list.
__global__ void __launch_bounds__(kThreads) take_kernel(BestLists lists, ScoreTile tile, bool first) {
  __shared__ RankKey keys_in_room[kRoom];
  __shared__ int32_t count_in_room;
  const int slice = blockIdx.x, query = blockIdx.y, k = lists.k;
  const int64_t list = static_cast<int64_t>(query) * lists.slices + slice;
  RankKey* const kept = lists.keys + list * k;
  const int count = first ? 0 : lists.counts[list];
  Best best{keys_in_room, &count_in_room, k, count};
  for (int i = threadIdx.x; i < count; i += kThreads) best.keys[i] = kept[i];
  if (threadIdx.x == 0) *best.count = count;
  __syncthreads();
  const RankKey to_beat = count == k ? best.keys[k - 1] : kNoKey;

  const int64_t begin = static_cast<int64_t>(tile.rows) * slice / lists.slices;
  const int64_t end = static_cast<int64_t>(tile.rows) * (slice + 1) / lists.slices;
  const float* const bounds = tile.bounds + query * tile.pitch;
  const float* const asking = asking_vector(tile, query);
  const auto key_at = [&](int64_t i) {
    const uint32_t bits = __float_as_uint(bounds[begin + i]);
    return bits == kNotEligible ? kNoKey : rank_key(bits, tile.first_row + static_cast<int32_t>(begin + i));
  };
  const auto score_of = [&](RankKey bound) {
    const int32_t row = row_of(bound);
    const float* const ranked = tile.ranked + static_cast<int64_t>(row - tile.first_row) * tile.dimension;
    return rank_key(__float_as_uint(score(asking, ranked, tile.dimension)), row);
  };
  const bool changed = take(best, to_beat, end - begin, key_at, score_of);
  if (changed) keep_best(best, score_of);
  if (threadIdx.x == 0 && (changed || first)) lists.counts[list] = *best.count;
  if (!changed) return;
  for (int i = threadIdx.x; i < *best.count; i += kThreads) kept[i] = best.keys[i];
}

// Block q merges the lists of query q. Shared memory: 16 KiB.
__global__ void __launch_bounds__(kThreads) merge_kernel(BestLists lists, int32_t* rows, float* scores) {
  __shared__ RankKey keys_in_room[kRoom];
  __shared__ int32_t count_in_room;
  const int query = blockIdx.x, k = lists.k;
  Best best{keys_in_room, &count_in_room, k, 0};
  const RankKey* const keys = lists.keys + static_cast<int64_t>(query) * lists.slices * k;
  const int32_t* const counts = lists.counts + static_cast<int64_t>(query) * lists.slices;
  if (threadIdx.x == 0) *best.count = 0;  // seen by all after the first barrier of take()
  const auto key_at = [&](int64_t i) { return i % k < counts[i / k] ? keys[i] : kNoKey; };
  const auto score_of = [](RankKey scored) { return scored; };
  take(best, kNoKey, static_cast<int64_t>(lists.slices) * k, key_at, score_of);
  keep_best(best, score_of);
  constexpr uint32_t kNegativeInfinity = 0xFF800000;
  for (int i = threadIdx.x; i < k; i += kThreads) {
    const bool there = i < *best.count;
    rows[static_cast<int64_t>(query) * k + i] = there ? row_of(best.keys[i]) : -1;
    scores[static_cast<int64_t>(query) * k + i] = __uint_as_float(there ? score_bits_of(best.keys[i]) : kNegativeInfinity);
  }
}

}  // namespace

void take_tile(const Stream& stream, const BestLists& lists, const ScoreTile& tile, bool first) {
  launch<take_kernel>(stream, {dim3(static_cast<unsigned>(lists.slices), static_cast<unsigned>(lists.queries)), dim3(kThreads)}, lists,
                      tile, first);
}

void merge_lists(const Stream& stream, const BestLists& lists, int32_t* rows, float* scores) {
  launch<merge_kernel>(stream, {dim3(static_cast<unsigned>(lists.queries)), dim3(kThreads)}, lists, rows, scores);
}

}  // namespace bouquet::cuda
