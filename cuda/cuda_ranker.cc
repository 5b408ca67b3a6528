#include "cuda/cuda_ranker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "cuda/call_clock.h"
#include "cuda/nvtx_range.h"
#include "cuda/restriction_staging.h"
#include "cuda/score_kernels.h"
#include "cuda/status.h"
#include "cuda/top_k_kernels.h"
#include "engine/rank_checks.h"

namespace bouquet::cuda {
namespace {

class CudaRanker final : public Ranker {
 public:
  CudaRanker(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, Side side, RankerLimits limits, const RankPlan& plan)
      : model_(std::move(model)),
        device_(tables.device()),
        ranked_(tables.ranked(side)),
        asking_(tables.asking(side)),
        limits_(limits),
        plan_(plan),
        stream_(device_),
        bounds_(int64_t{plan.queries_together} * plan.tile_rows, stream_),
        rows_asked_(plan.queries_together),
        device_rows_asked_(plan.queries_together, stream_),
        vectors_(plan.queries_together * ranked_.cols),
        device_vectors_(plan.queries_together * ranked_.cols, stream_),
        list_keys_(int64_t{plan.most_lists} * limits.max_k, stream_),
        list_counts_(plan.most_lists, stream_),
        device_answer_rows_(int64_t{plan.queries_together} * limits.max_k, stream_),
        device_answer_scores_(int64_t{plan.queries_together} * limits.max_k, stream_),
        answer_rows_(int64_t{plan.queries_together} * limits.max_k),
        answer_scores_(int64_t{plan.queries_together} * limits.max_k),
        restrictions_(plan, stream_) {
    stream_.synchronize();
  }

  // Pinned memory must not go while a copy may still use it.
  ~CudaRanker() override {
    device_.use_to_release();
    cudaStreamSynchronize(stream_.get());
  }

  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    const NvtxRange nvtx("bouquet: rank");
    const RankerShape shape{asking_.rows, ranked_.rows, static_cast<int32_t>(ranked_.cols), limits_};
    if (absl::Status s = validate(queries, ranked, shape); !s.ok()) return s;
    const absl::Status done = guarded(device_, "ranking", [&] {
      clock_.begin(stream_);
      const int64_t n = query_count(queries);
      for (int64_t first = 0; first < n; first += plan_.queries_together)
        rank_range(queries, {first, std::min<int64_t>(plan_.queries_together, n - first)}, ranked);
      clock_.read();
      return absl::OkStatus();
    });
    if (!done.ok()) cudaStreamSynchronize(stream_.get());  // the next call fills what copies of this one may still read
    return done;
  }

  absl::Status time_on_device() override {
    return guarded(device_, "making events", [&] {
      clock_.start();
      return absl::OkStatus();
    });
  }
  std::optional<double> device_seconds() const override { return clock_.seconds(); }

 private:
  void rank_range(const QueryBatch& queries, QueryRange range, RankedRows ranked) {
    ScoreTile tile = send_queries(queries, range);
    const BestLists lists{.keys = list_keys_.data(),
                          .counts = list_counts_.data(),
                          .queries = static_cast<int32_t>(range.count),
                          .slices = plan_.slices(range.count),
                          .k = queries.k};
    restrictions_.begin(queries, range);
    int64_t first = 0;
    do {  // once for an empty table too: the first tile empties the lists
      const TileRange rows{first, std::min<int64_t>(plan_.tile_rows, ranked_.rows - first)};
      tile.ranked = ranked_.data + first * ranked_.cols;
      tile.first_row = static_cast<int32_t>(first);
      tile.rows = static_cast<int32_t>(rows.count);
      restrictions_.send_filters(rows, tile);
      score_tile(stream_, tile);
      restrictions_.mark_exclusions(rows, tile.bounds, tile.pitch);
      take_tile(stream_, lists, tile, first == 0);
      first += plan_.tile_rows;
    } while (first < ranked_.rows);
    merge_lists(stream_, lists, device_answer_rows_.data(), device_answer_scores_.data());
    receive(range, queries.k, ranked);
  }

  // The asking side of `range`, by row or by vector.
  ScoreTile send_queries(const QueryBatch& queries, QueryRange range) {
    ScoreTile tile{};
    tile.bounds = bounds_.data();
    tile.pitch = plan_.tile_rows;
    tile.queries = static_cast<int32_t>(range.count);
    tile.dimension = static_cast<int32_t>(ranked_.cols);
    const auto first = static_cast<size_t>(range.first), count = static_cast<size_t>(range.count);
    if (queries.vectors.rows > 0) {
      const size_t numbers = count * static_cast<size_t>(ranked_.cols);
      std::copy_n(queries.vectors.data + range.first * ranked_.cols, numbers, vectors_.span().begin());
      device_vectors_.upload(vectors_.span().first(numbers));
      tile.asking = device_vectors_.data();
    } else {
      std::ranges::copy(queries.rows.subspan(first, count), rows_asked_.span().begin());
      device_rows_asked_.upload(rows_asked_.span().first(count));
      tile.asking = asking_.data;
      tile.asking_rows = device_rows_asked_.data();
    }
    return tile;
  }

  void receive(QueryRange range, int32_t k, RankedRows ranked) {
    const auto first = static_cast<size_t>(range.first * k), size = static_cast<size_t>(range.count * k);
    device_answer_rows_.download(answer_rows_.span().first(size));
    device_answer_scores_.download(answer_scores_.span().first(size));
    clock_.end(stream_);
    stream_.synchronize();
    std::ranges::copy(answer_rows_.span().first(size), ranked.rows.subspan(first, size).begin());
    std::ranges::copy(answer_scores_.span().first(size), ranked.scores.subspan(first, size).begin());
  }

  const std::shared_ptr<const LoadedModel> model_;
  const Device& device_;  // of the model
  const DeviceMatrix ranked_, asking_;
  const RankerLimits limits_;
  const RankPlan plan_;
  const Stream stream_;
  DeviceArray<float> bounds_;  // of the scores of one tile
  PinnedArray<int32_t> rows_asked_;
  DeviceArray<int32_t> device_rows_asked_;
  PinnedArray<float> vectors_;
  DeviceArray<float> device_vectors_;
  DeviceArray<RankKey> list_keys_;
  DeviceArray<int32_t> list_counts_;
  DeviceArray<int32_t> device_answer_rows_;
  DeviceArray<float> device_answer_scores_;
  PinnedArray<int32_t> answer_rows_;
  PinnedArray<float> answer_scores_;
  RestrictionStaging restrictions_;
  CallClock clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Ranker>> make_cuda_ranker(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, Side side,
                                                         RankerLimits limits) {
  if (absl::Status s = validate(limits); !s.ok()) return s;
  return make_cuda_ranker(std::move(model), tables, side, limits,
                          plan_ranking(limits, tables.ranked(side).rows, tables.device().properties().multiprocessors));
}

absl::StatusOr<std::unique_ptr<Ranker>> make_cuda_ranker(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, Side side,
                                                         RankerLimits limits, const RankPlan& plan) {
  if (absl::Status s = validate(limits); !s.ok()) return s;
  return guarded(tables.device(), "making a ranker of batches of " + std::to_string(limits.max_batch),
                 [&]() -> absl::StatusOr<std::unique_ptr<Ranker>> {
                   const absl::Status fits =
                       check_fits(ranker_memory(plan, tables.dimension(), limits.max_k), tables.device().free_bytes(), "a ranker",
                                  "A smaller batch (--max-batch), a smaller k, fewer models on the device or a larger one fits.");
                   if (!fits.ok()) return fits;
                   return std::make_unique<CudaRanker>(std::move(model), tables, side, limits, plan);
                 });
}

MemoryTable ranker_memory(const RankPlan& plan, int32_t dimension, int32_t max_k) {
  const int64_t queries = plan.queries_together;
  MemoryTable table;
  table.add("bounds of a tile's scores", queries * plan.tile_rows * int64_t{sizeof(float)});
  table.add("queries", queries * (int64_t{sizeof(int32_t)} + dimension * int64_t{sizeof(float)}));
  table.add("lists of the best", int64_t{plan.most_lists} * (max_k * int64_t{sizeof(RankKey)} + int64_t{sizeof(int32_t)}));
  table.add("answers", queries * max_k * int64_t{sizeof(int32_t) + sizeof(float)});
  RestrictionStaging::count_memory(plan, table);
  return table;
}

}  // namespace bouquet::cuda
