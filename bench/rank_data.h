// Generated vectors to rank, the same for the same settings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/backend.h"
#include "engine/model.h"

namespace bouquet::bench {

struct RankSettings {
  int32_t items = 100000;
  int32_t dimension = 64;
  int32_t k = 10;
  uint64_t seed = 1;
  std::string distribution = "gaussian";  // gaussian, decaying
  int32_t exclusions = 0;                 // per query
  double filter_share = 1;                // of the rows that every query's filter lets through; 1: no filter
};

// gaussian: independent normal numbers, each item times a log-normal factor exp(0.5 z). decaying: the same with dimension j scaled
// by (j + 1)^-0.5 in items and queries, as the spectrum of trained factors falls.
struct RankData {
  std::vector<float> items;    // [items, d]
  std::vector<float> queries;  // [kQueries, d]
  std::vector<int64_t> exclusion_offsets;
  std::vector<int32_t> exclusions;  // of each query; empty without
  std::vector<uint64_t> filter;     // bitmap; empty without

  static constexpr int64_t kQueries = 1024;
};
RankData make_rank_data(const RankSettings& settings);

// The model that ranks data.items for rows of data.queries.
Model make_rank_model(const RankSettings& settings, const RankData& data);

}  // namespace bouquet::bench
