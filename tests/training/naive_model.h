// A loaded model that ranks by brute force: what the tests of the evaluator put in the place of a backend's.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/backend.h"
#include "engine/score.h"

namespace bouquet::training {

class NaiveRanker : public Ranker {
 public:
  explicit NaiveRanker(Model model) : model_(std::move(model)) {}

  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    const int64_t n = queries.rows.empty() ? queries.vectors.rows : static_cast<int64_t>(queries.rows.size());
    for (int64_t q = 0; q < n; ++q) {
      const auto profile =
          queries.rows.empty() ? queries.vectors.row(q) : model_.profile_matrix().row(queries.rows[static_cast<size_t>(q)]);
      const auto excluded = queries.exclusions.list(q);
      std::vector<std::pair<float, int32_t>> scored;
      for (int32_t i = 0; i < model_.item_count(); ++i)
        if (std::find(excluded.begin(), excluded.end(), i) == excluded.end() && passes(queries, q, i))
          scored.emplace_back(score(profile.data(), model_.item_matrix().row(i).data(), model_.dimension), i);
      std::sort(scored.begin(), scored.end(),
                [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
      for (int32_t r = 0; r < queries.k; ++r) {
        const auto at = static_cast<size_t>(q * queries.k + r);
        const bool there = static_cast<size_t>(r) < scored.size();
        ranked.rows[at] = there ? scored[static_cast<size_t>(r)].second : kNone;
        ranked.scores[at] = there ? scored[static_cast<size_t>(r)].first : -INFINITY;
      }
    }
    return absl::OkStatus();
  }

 private:
  static bool passes(const QueryBatch& queries, int64_t q, int32_t item) {
    const int32_t filter = queries.filter_of.empty() ? kNone : queries.filter_of[static_cast<size_t>(q)];
    return filter == kNone || queries.filters[static_cast<size_t>(filter)].test(item);
  }

  Model model_;
};

class NaiveModel : public LoadedModel {
 public:
  explicit NaiveModel(Model model) : model_(std::move(model)) {}
  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side, RankerLimits) const override { return std::make_unique<NaiveRanker>(model_); }
  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits) const override { return absl::UnimplementedError("none here"); }

 private:
  Model model_;
};

}  // namespace bouquet::training
