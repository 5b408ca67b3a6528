#include "cpu_fallback/cpu_ranker.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "cpu_fallback/query_search.h"
#include "cpu_fallback/table_scan.h"
#include "engine/errors.h"
#include "engine/rank_checks.h"

namespace bouquet::cpu {
namespace {

constexpr int32_t kTogether = 64;  // queries that one thread takes through the table together, at most
// Waking other threads takes some microseconds: not for less than this many products.
constexpr int64_t kWorthSharing = 20'000'000;
// A scan reads a row in about a thirtieth of the time that an exact score takes.
constexpr int64_t kRowsPerExactScore = 30;

// One thread's scratch.
struct Lane {
  Lane(const RankTable& table, RankerLimits limits) : scan(table, std::min(limits.max_batch, kTogether)) {
    const int32_t count = std::min(limits.max_batch, kTogether);
    searches.reserve(static_cast<size_t>(count));
    scanning.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; ++i) searches.emplace_back(table, limits.max_k);
  }
  std::vector<QuerySearch> searches;
  std::vector<QuerySearch*> scanning;  // those that need a scan
  TableScan scan;
};

// Queries [first, first + count) of a batch.
struct QueryRange {
  int64_t first;
  int64_t count;
};

class CpuRanker final : public Ranker {
 public:
  CpuRanker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking, std::shared_ptr<const RankTable> ranked,
            RankerLimits limits, ThreadPool& pool)
      : model_(std::move(model)), table_(std::move(ranked)), pool_(pool), asking_(asking), limits_(limits) {
    lanes_.reserve(static_cast<size_t>(pool.size()));
    for (int i = 0; i < pool.size(); ++i) lanes_.emplace_back(*table_, limits);
    shared_thresholds_ = std::vector<std::atomic<float>>(static_cast<size_t>(std::min(limits.max_batch, kTogether)));
  }

  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    const RankerShape shape{asking_.rows, table_->rows.rows, static_cast<int32_t>(table_->rows.cols), limits_};
    if (absl::Status s = validate(queries, ranked, shape); !s.ok()) return s;
    const int64_t n = query_count(queries);
    const int64_t threads = pool_.size();
    const bool worth_sharing = n * table_->rows.rows * table_->rows.cols >= kWorthSharing;
    if (threads > 1 && worth_sharing && n < threads * 2 * kGroup && n <= kTogether) {
      share_rows(queries, ranked);
    } else {
      const int64_t shares = worth_sharing ? std::max(threads, (n + kTogether - 1) / kTogether) : (n + kTogether - 1) / kTogether;
      pool_.run(shares, [&](int worker, int64_t share) {
        const QueryRange range{share * n / shares, (share + 1) * n / shares - share * n / shares};
        search(lanes_[static_cast<size_t>(worker)], queries, range, {}, nullptr);
        for (int64_t i = 0; i < range.count; ++i)
          write(lanes_[static_cast<size_t>(worker)].searches[static_cast<size_t>(i)], range.first + i, queries, ranked);
      });
    }
    return absl::OkStatus();
  }

 private:
  // Few queries: each thread takes a part of the table, and thresholds are shared.
  void share_rows(const QueryBatch& queries, RankedRows ranked) {
    const QueryRange all{0, query_count(queries)};
    for (auto& threshold : shared_thresholds_) threshold.store(-std::numeric_limits<float>::infinity(), std::memory_order_relaxed);
    const auto slices = static_cast<int64_t>(lanes_.size());
    pool_.run(slices, [&](int, int64_t slice) {
      search(lanes_[static_cast<size_t>(slice)], queries, all, {slice, slices}, shared_thresholds_.data());
    });
    for (int64_t q = 0; q < all.count; ++q) {
      QuerySearch& joined = lanes_[0].searches[static_cast<size_t>(q)];
      for (size_t lane = 1; lane < lanes_.size(); ++lane) joined.add_hits(lanes_[lane].searches[static_cast<size_t>(q)].sorted());
      write(joined, q, queries, ranked);
    }
  }

  void search(Lane& lane, const QueryBatch& queries, QueryRange range, BlockSlice slice, std::atomic<float>* shared_thresholds) const {
    lane.scanning.clear();
    for (int64_t i = 0; i < range.count; ++i) {
      QuerySearch& s = lane.searches[static_cast<size_t>(i)];
      const int64_t q = range.first + i;
      const BitmapView* filter = filter_of(queries, q);
      s.begin({.vector = queries.vectors.rows > 0 ? queries.vectors.row(q) : asking_.row(queries.rows[static_cast<size_t>(q)]),
               .excluded = queries.exclusions.list(q),
               .filter = filter,
               .k = queries.k,
               .shared_threshold = shared_thresholds == nullptr ? nullptr : shared_thresholds + i});
      const bool lets_few_through = filter != nullptr && eligible_count(*filter) * kRowsPerExactScore < table_->rows.rows;
      if (!s.is_zero() && !lets_few_through) {
        lane.scanning.push_back(&s);
      } else if (slice.first == 0) {  // done once, not once per slice
        if (s.is_zero())
          s.take_first_rows();
        else
          s.score_filtered_rows();
      }
    }
    lane.scan.run(lane.scanning, slice);
  }

  static const BitmapView* filter_of(const QueryBatch& queries, int64_t q) {
    if (queries.filter_of.empty() || queries.filter_of[static_cast<size_t>(q)] == kNone) return nullptr;
    return &queries.filters[static_cast<size_t>(queries.filter_of[static_cast<size_t>(q)])];
  }

  static int64_t eligible_count(const BitmapView& filter) {
    int64_t count = 0;
    for (const uint64_t word : filter.words) count += std::popcount(word);
    return count;
  }

  static void write(QuerySearch& search, int64_t q, const QueryBatch& queries, RankedRows ranked) {
    const std::span<const Hit> hits = search.sorted();
    const auto k = static_cast<size_t>(queries.k);
    for (size_t j = 0; j < k; ++j) {
      ranked.rows[static_cast<size_t>(q) * k + j] = j < hits.size() ? hits[j].row : kNone;
      ranked.scores[static_cast<size_t>(q) * k + j] = j < hits.size() ? hits[j].score : -std::numeric_limits<float>::infinity();
    }
  }

  std::shared_ptr<const LoadedModel> model_;
  std::shared_ptr<const RankTable> table_;
  ThreadPool& pool_;
  const MatrixView<const float> asking_;
  const RankerLimits limits_;
  std::vector<Lane> lanes_;  // one per thread of the pool
  std::vector<std::atomic<float>> shared_thresholds_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Ranker>> make_cpu_ranker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking,
                                                        std::shared_ptr<const RankTable> ranked, RankerLimits limits, ThreadPool& pool) {
  if (absl::Status s = validate(limits); !s.ok()) return s;
  try {
    return std::make_unique<CpuRanker>(std::move(model), asking, std::move(ranked), limits, pool);
  } catch (const std::bad_alloc&) {
    return no_resource("there is not enough memory for a ranker of batches of " + std::to_string(limits.max_batch));
  }
}

}  // namespace bouquet::cpu
