#include "bench/fold_in_data.h"

#include "bench/rank_data.h"

namespace bouquet::bench {

Model make_fold_in_model(int32_t items, int32_t dimension, uint64_t seed) {
  const RankSettings settings{.items = items, .dimension = dimension, .seed = seed, .distribution = "decaying"};
  Model model = make_rank_model(settings, make_rank_data(settings));
  const auto d = static_cast<size_t>(dimension);
  std::vector<double> sums(d * d);
  for (int32_t r = 0; r < items; ++r) {
    const auto q = model.item_matrix().row(r);
    for (size_t i = 0; i < d; ++i)
      for (size_t j = 0; j < d; ++j) sums[i * d + j] += double{q[i]} * double{q[j]};
  }
  model.item_gram = std::vector<float>(sums.begin(), sums.end());
  model.constants = {0.1, 0.01, 0.5, items, 1};
  return model;
}

MadeHistories::MadeHistories(int32_t item_count, int32_t length, int32_t count) {
  const int32_t step = item_count / length;
  for (int32_t r = 0; r < count; ++r) {
    for (int32_t k = 0; k < length; ++k) {
      const uint64_t place = static_cast<uint64_t>(r) * static_cast<uint64_t>(length) + static_cast<uint64_t>(k);
      items.push_back(k * step + static_cast<int32_t>((place * 2654435761u) % static_cast<uint64_t>(step)));
      confidences.push_back(1.0f + static_cast<float>(place % 7));
    }
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
}

}  // namespace bouquet::bench
