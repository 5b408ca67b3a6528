// Scores everything and sorts: stands in until cpu_ranker.h is here.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend.h"
#include "engine/errors.h"
#include "engine/score.h"

namespace bouquet::cpu {

class NaiveRanker final : public Ranker {
 public:
  NaiveRanker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking, MatrixView<const float> ranked, RankerLimits limits)
      : model_(std::move(model)), asking_(asking), ranked_(ranked), limits_(limits) {}

  absl::Status rank(const QueryBatch& q, RankedRows out) override {
    const auto n = static_cast<int64_t>(q.rows.empty() ? static_cast<size_t>(q.vectors.rows) : q.rows.size());
    if (n > limits_.max_batch || q.k < 1 || q.k > limits_.max_k) return wrong_usage("batch or k is over the limit");
    if (static_cast<int64_t>(out.rows.size()) != n * q.k || out.scores.size() != out.rows.size()) return wrong_usage("wrong output shape");
    for (const int32_t row : q.rows)
      if (row < 0 || row >= asking_.rows) return wrong_usage("row " + std::to_string(row) + " is out of range");
    for (int64_t i = 0; i < n; ++i) rank_one(q, i, out);
    return absl::OkStatus();
  }

 private:
  void rank_one(const QueryBatch& q, int64_t i, RankedRows out) const {
    const float* query = q.rows.empty() ? q.vectors.row(i).data() : asking_.row(q.rows[static_cast<size_t>(i)]).data();
    const auto excluded = q.exclusions.list(i);
    const int32_t filter = q.filter_of.empty() ? kNone : q.filter_of[static_cast<size_t>(i)];
    std::vector<std::pair<float, int32_t>> found;
    for (int32_t r = 0; r < ranked_.rows; ++r) {
      if (std::ranges::binary_search(excluded, r) || (filter != kNone && !q.filters[static_cast<size_t>(filter)].test(r))) continue;
      found.emplace_back(score(query, ranked_.row(r).data(), static_cast<int32_t>(ranked_.cols)), r);
    }
    std::ranges::sort(found, [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
    for (size_t j = 0; j < static_cast<size_t>(q.k); ++j) {
      const size_t at = static_cast<size_t>(i) * static_cast<size_t>(q.k) + j;
      out.rows[at] = j < found.size() ? found[j].second : kNone;
      out.scores[at] = j < found.size() ? found[j].first : -std::numeric_limits<float>::infinity();
    }
  }

  std::shared_ptr<const LoadedModel> model_;
  MatrixView<const float> asking_, ranked_;
  RankerLimits limits_;
};

inline std::unique_ptr<Ranker> make_naive_ranker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking,
                                                 MatrixView<const float> ranked, RankerLimits limits) {
  return std::make_unique<NaiveRanker>(std::move(model), asking, ranked, limits);
}

}  // namespace bouquet::cpu
