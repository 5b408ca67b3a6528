// THE score: the one number that ranks and is returned, the same bits on every backend for the same profile.
#pragma once

#include <cstdint>

namespace bouquet {

// sum over j, in index order, of (double)profile[j] * (double)item[j], rounded once to float. A product of two floats is
// exact in double, so fused and separate multiply-add give the same bits; the order of the additions is the definition.
inline float score(const float* profile, const float* item, int32_t d) {
  double sum = 0;
  for (int32_t j = 0; j < d; ++j) sum += static_cast<double>(profile[j]) * static_cast<double>(item[j]);
  return static_cast<float>(sum);
}

// The order of an answer: higher score first, equal scores by lower index.
inline bool ranks_before(float score_a, int32_t index_a, float score_b, int32_t index_b) {
  return score_a > score_b || (score_a == score_b && index_a < index_b);
}

}  // namespace bouquet
