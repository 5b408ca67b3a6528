// A score and its row as one integer, so that comparing integers is the order of an answer (ranks_before in engine/score.h): the better
// one is the larger, equal scores by lower row. No two rows have the same key; every key is above kNoKey.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace bouquet::cuda {

using RankKey = uint64_t;
inline constexpr RankKey kNoKey = 0;  // below every key: no row, or one that may not be returned

// What the score of a row reads that may not be returned: no score is NaN.
inline constexpr uint32_t kNotEligible = 0x7FFFFFFF;

// 31 bits of which the lower row has the larger: the order of equal scores. Its own inverse.
__host__ __device__ inline uint32_t complement_of(uint32_t row) { return 0x7FFFFFFFu - row; }

// From the top: 32 bits of the score in an order-preserving code, 31 bits of the complement of the row, and one bit that keeps the sign
// of a zero, which counts as equal to the other zero and must come back as it was.
__host__ __device__ inline RankKey rank_key(uint32_t score_bits, int32_t row) {
  constexpr uint32_t kSign = 0x80000000;
  const bool is_zero = (score_bits & ~kSign) == 0;
  const uint32_t canonical = is_zero ? 0 : score_bits;
  const uint32_t ordered = (canonical & kSign) != 0 ? ~canonical : canonical | kSign;
  const uint32_t low = complement_of(static_cast<uint32_t>(row)) << 1 | static_cast<uint32_t>(is_zero && score_bits == kSign);
  return static_cast<uint64_t>(ordered) << 32 | low;
}

__host__ __device__ inline int32_t row_of(RankKey key) { return static_cast<int32_t>(complement_of(static_cast<uint32_t>(key) >> 1)); }

__host__ __device__ inline uint32_t score_bits_of(RankKey key) {
  constexpr uint32_t kSign = 0x80000000;
  const auto ordered = static_cast<uint32_t>(key >> 32);
  const uint32_t bits = (ordered & kSign) != 0 ? ordered & ~kSign : ~ordered;
  return bits == 0 && (key & 1) != 0 ? kSign : bits;
}

}  // namespace bouquet::cuda
