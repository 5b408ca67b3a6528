#include "cpu_fallback/cpu_ranker.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/rank_checks.h"
#include "engine/score.h"

namespace bouquet::cpu {
namespace {

struct Hit {
  float score;
  int32_t row;
};

bool better(const Hit& a, const Hit& b) { return ranks_before(a.score, a.row, b.score, b.row); }

class CpuRanker final : public Ranker {
 public:
  CpuRanker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking, std::shared_ptr<const RankTable> ranked,
            RankerLimits limits, ThreadPool& pool)
      : model_(std::move(model)), asking_(asking), table_(std::move(ranked)), limits_(limits), pool_(pool) {
    best_.resize(static_cast<size_t>(pool.size()));
    for (auto& b : best_) b.reserve(static_cast<size_t>(limits.max_k) + 1);
  }

  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    const RankerShape shape{asking_.rows, table_->rows.rows, static_cast<int32_t>(table_->rows.cols), limits_};
    if (absl::Status s = validate(queries, ranked, shape); !s.ok()) return s;
    pool_.run(query_count(queries), [&](int worker, int64_t q) { rank_one(queries, q, ranked, best_[static_cast<size_t>(worker)]); });
    return absl::OkStatus();
  }

 private:
  void rank_one(const QueryBatch& queries, int64_t q, RankedRows ranked, std::vector<Hit>& best) const {
    const auto i = static_cast<size_t>(q);
    const auto k = static_cast<size_t>(queries.k);
    const float* profile = queries.vectors.rows > 0 ? queries.vectors.row(q).data() : asking_.row(queries.rows[i]).data();
    const BitmapView* filter =
        queries.filter_of.empty() || queries.filter_of[i] == kNone ? nullptr : &queries.filters[static_cast<size_t>(queries.filter_of[i])];
    const std::span<const int32_t> excluded = queries.exclusions.list(q);
    auto next_excluded = excluded.begin();
    best.clear();
    for (int32_t row = 0; row < table_->rows.rows; ++row) {
      if (next_excluded != excluded.end() && *next_excluded == row) {
        ++next_excluded;
        continue;
      }
      if (filter != nullptr && !filter->test(row)) continue;
      const Hit hit{score(profile, table_->rows.row(row).data(), static_cast<int32_t>(table_->rows.cols)), row};
      if (best.size() == k && !better(hit, best.front())) continue;
      best.push_back(hit);  // a heap with the worst in front
      std::push_heap(best.begin(), best.end(), better);
      if (best.size() <= k) continue;
      std::pop_heap(best.begin(), best.end(), better);
      best.pop_back();
    }
    std::sort_heap(best.begin(), best.end(), better);
    for (size_t j = 0; j < k; ++j) {
      ranked.rows[i * k + j] = j < best.size() ? best[j].row : kNone;
      ranked.scores[i * k + j] = j < best.size() ? best[j].score : -std::numeric_limits<float>::infinity();
    }
  }

  std::shared_ptr<const LoadedModel> model_;
  MatrixView<const float> asking_;
  std::shared_ptr<const RankTable> table_;
  RankerLimits limits_;
  ThreadPool& pool_;
  std::vector<std::vector<Hit>> best_;  // one per worker
};

}  // namespace

absl::StatusOr<std::unique_ptr<Ranker>> make_cpu_ranker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking,
                                                        std::shared_ptr<const RankTable> ranked, RankerLimits limits, ThreadPool& pool) {
  if (absl::Status s = validate(limits); !s.ok()) return s;
  return std::make_unique<CpuRanker>(std::move(model), asking, std::move(ranked), limits, pool);
}

}  // namespace bouquet::cpu
