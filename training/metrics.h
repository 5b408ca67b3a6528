// The figures of one answer against what its customer really did. Means over customers and their intervals are made from these
// (bootstrap.h); the definitions stand in docs/evaluation.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace bouquet::training {

enum ListMetric { kRecall, kNdcg, kPrecision, kMap, kMrr, kHitRate, kListMetricCount };

std::string metric_name(ListMetric metric, int32_t k);  // "recall@20"

// hits[r] != 0: the row at rank r of the answer is relevant. An answer may be shorter than k. relevant_count > 0 is how many
// relevant items the customer has, in the answer or not.
//   recall     hits / relevant_count
//   ndcg       sum over hits of 1 / log2(rank + 1), ranks from 1, over the same sum for min(k, relevant_count) hits at the top
//   precision  hits / k
//   map        mean over min(k, relevant_count) of the precision at each hit
//   mrr        1 / rank of the first hit, 0 without one
//   hit_rate   1 with a hit, 0 without
std::array<double, kListMetricCount> list_metrics(std::span<const uint8_t> hits, int32_t k, int64_t relevant_count);

}  // namespace bouquet::training
