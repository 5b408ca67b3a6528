#include "training/metrics.h"

#include <algorithm>
#include <cmath>

namespace bouquet::training {
namespace {

double discount(int64_t rank) { return 1 / std::log2(static_cast<double>(rank) + 1); }

double ideal_gain(int64_t hits) {
  double sum = 0;
  for (int64_t rank = 1; rank <= hits; ++rank) sum += discount(rank);
  return sum;
}

}  // namespace

std::string metric_name(ListMetric metric, int32_t k) {
  constexpr const char* kNames[kListMetricCount] = {"recall", "ndcg", "precision", "map", "mrr", "hit_rate"};
  return kNames[metric] + ("@" + std::to_string(k));
}

std::array<double, kListMetricCount> list_metrics(std::span<const uint8_t> hits, int32_t k, int64_t relevant_count) {
  std::array<double, kListMetricCount> out{};
  const int64_t best = std::min<int64_t>(k, relevant_count);
  double found = 0, gain = 0, precisions = 0;
  const size_t length = std::min(hits.size(), static_cast<size_t>(k));
  for (size_t r = 0; r < length; ++r) {
    if (!hits[r]) continue;
    const auto rank = static_cast<int64_t>(r) + 1;
    if (found == 0) out[kMrr] = 1 / static_cast<double>(rank);
    found += 1;
    gain += discount(rank);
    precisions += found / static_cast<double>(rank);
  }
  if (found == 0) return out;
  out[kRecall] = found / static_cast<double>(relevant_count);
  out[kNdcg] = gain / ideal_gain(best);
  out[kPrecision] = found / k;
  out[kMap] = precisions / static_cast<double>(best);
  out[kHitRate] = 1;
  return out;
}

}  // namespace bouquet::training
