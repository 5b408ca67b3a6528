#include "bench/rank_data.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bouquet::bench {
namespace {

void append_exclusions(RankData& data, const RankSettings& settings, std::mt19937_64& random) {
  std::vector<int32_t> list;
  while (static_cast<int32_t>(list.size()) < std::min(settings.exclusions, settings.items / 2)) {
    list.push_back(static_cast<int32_t>(random() % static_cast<uint64_t>(settings.items)));
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  data.exclusions.insert(data.exclusions.end(), list.begin(), list.end());
  data.exclusion_offsets.push_back(static_cast<int64_t>(data.exclusions.size()));
}

}  // namespace

RankData make_rank_data(const RankSettings& settings) {
  std::mt19937_64 random(settings.seed);
  std::normal_distribution<float> normal;
  const auto d = static_cast<size_t>(settings.dimension);
  std::vector<float> axes(d, 1);
  if (settings.distribution == "decaying")
    for (size_t j = 0; j < d; ++j) axes[j] = 1 / std::sqrt(static_cast<float>(j + 1));
  RankData data;
  data.items.resize(static_cast<size_t>(settings.items) * d);
  for (size_t i = 0; i < static_cast<size_t>(settings.items); ++i) {
    const float norm = std::exp(0.5f * normal(random));
    for (size_t j = 0; j < d; ++j) data.items[i * d + j] = norm * axes[j] * normal(random);
  }
  data.queries.resize(RankData::kQueries * d);
  for (size_t i = 0; i < data.queries.size(); ++i) data.queries[i] = axes[i % d] * normal(random);
  if (settings.exclusions > 0) {
    data.exclusion_offsets.push_back(0);
    for (int64_t q = 0; q < RankData::kQueries; ++q) append_exclusions(data, settings, random);
  }
  if (settings.filter_share < 1) {
    data.filter.resize(static_cast<size_t>(bitmap_word_count(settings.items)));
    for (int32_t r = 0; r < settings.items; ++r)
      if (std::uniform_real_distribution<double>(0, 1)(random) < settings.filter_share)
        data.filter[static_cast<size_t>(r) / 64] |= uint64_t{1} << (r % 64);
  }
  return data;
}

Model make_rank_model(const RankSettings& settings, const RankData& data) {
  Model model;
  model.dimension = settings.dimension;
  model.item_vectors = data.items;
  model.profiles = data.queries;
  model.item_gram = std::vector<float>(static_cast<size_t>(settings.dimension) * static_cast<size_t>(settings.dimension));
  return model;
}

}  // namespace bouquet::bench
