// Made-up models and histories to solve profiles from, the same for the same settings.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model.h"

namespace bouquet::bench {

// Items whose coordinates fall off as trained factors do, with the Gram matrix that belongs to them.
Model make_fold_in_model(int32_t items, int32_t dimension, uint64_t seed);

// Histories of one length, at most the number of items: every n-th item from another start.
struct MadeHistories {
  MadeHistories(int32_t item_count, int32_t length, int32_t count);

  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  std::vector<float> confidences;
};

}  // namespace bouquet::bench
