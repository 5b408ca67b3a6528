#include "cuda/cuda_profiler.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "cuda/attribute_staging.h"
#include "cuda/call_clock.h"
#include "cuda/history_staging.h"
#include "cuda/nvtx_range.h"
#include "cuda/status.h"

namespace bouquet::cuda {
namespace {

constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();
constexpr int64_t kFactorFloats = int64_t{1} << 22;  // 16 MB of Cholesky factors at a time

int32_t factors_at_a_time(int64_t d, int32_t max_batch) {
  return static_cast<int32_t>(std::clamp<int64_t>(kFactorFloats / (d * d), 1, max_batch));
}

RidgeRule rule_of(const ModelConstants& c, Side solved) {
  return {c.unobserved_weight, c.regularization, c.regularization_exponent,
          solved == Side::kCustomers ? c.training_item_count : c.training_customer_count,
          solved == Side::kCustomers ? c.empty_history_share : 1};
}

// Floats of the prior means of a batch.
int64_t means_size(const ProfilerShape& shape) {
  return shape.attribute_columns == 0 ? 0 : int64_t{shape.limits.max_batch} * row_stride(shape.dimension);
}

class CudaProfiler final : public Profiler {
 public:
  CudaProfiler(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, const FoldInSource& source, ProfilerLimits limits)
      : model_(std::move(model)),
        device_(tables.device()),
        source_(source.source()),
        prior_(source.prior()),
        rule_(rule_of(tables.constants(), limits.solved)),
        shape_(profiler_shape(tables, limits)),
        stream_(device_),
        staging_(shape_.item_count, limits.max_batch, stream_),
        attributes_(shape_, stream_),
        means_(means_size(shape_), stream_),
        scratch_(tables.dimension(), 0, limits.max_batch, stream_),
        solved_(int64_t{limits.max_batch} * tables.dimension(), stream_),
        factors_(factors_at_a_time(tables.dimension(), limits.max_batch) * int64_t{tables.dimension()} * tables.dimension(), stream_),
        failed_(1, stream_),
        host_solved_(solved_.size()),
        host_failed_(1) {
    stream_.synchronize();
  }

  // Pinned memory must not go while a copy may still use it.
  ~CudaProfiler() override {
    device_.use_to_release();
    cudaStreamSynchronize(stream_.get());
  }

  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    const NvtxRange range("bouquet: solve");
    if (absl::Status s = validate(histories, solved, shape_); !s.ok()) return s;
    const absl::Status done = guarded(device_, "folding in", [&] { return solve_all(histories, solved); });
    if (!done.ok()) cudaStreamSynchronize(stream_.get());  // the next call writes what copies of this one may still read
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
  absl::Status solve_all(const HistoryBatch& histories, const ProfileBatch& solved) {
    clock_.begin(stream_);
    const auto n = static_cast<int32_t>(histories.offsets.size()) - 1;
    for (int32_t first = 0, count = 0; first < n; first += count) {
      count = attributes_.fitting(histories.attributes, first, staging_.fitting(histories, first));
      staging_.upload(histories, first, count, rule_, shape_.dimension);
      attributes_.upload(histories.attributes, first, count);
      if (absl::Status s = solve_staged(histories, first, count, solved); !s.ok()) return s;
    }
    clock_.read();
    return absl::OkStatus();
  }

  // Histories [first, first + count), which stand in staging_ as rows from 0.
  absl::Status solve_staged(const HistoryBatch& histories, int32_t first, int32_t count, const ProfileBatch& solved) {
    const int64_t d = shape_.dimension;
    host_failed_[0] = kNoRow;
    failed_.upload(std::as_const(host_failed_).span());
    DeviceSolutions out{.solved = solved_.data(), .stride = d, .cholesky = nullptr, .first_row = 0, .failed = failed_.data()};
    DevicePairs pairs = staging_.pairs();
    pairs.means = means_.data();
    prepare_means(staging_.planned(), {attributes_.view(), prior_, means_.data()}, source_, stream_);
    run_plan(staging_.planned(), pairs, source_, scratch_, out, stream_);
    const auto profiles = host_solved_.span().first(static_cast<size_t>(count * d));
    solved_.download(profiles);
    if (!solved.cholesky.empty()) factorize(first, count, solved.cholesky);
    failed_.download(host_failed_.span());
    clock_.end(stream_);
    stream_.synchronize();
    if (host_failed_[0] != kNoRow)
      return absl::InternalError("history " + std::to_string(first + host_failed_[0]) + ": its matrix is not positive definite");
    std::ranges::copy(profiles, solved.profiles.data + first * d);
    for (int32_t r = first; !solved.cholesky.empty() && r < first + count; ++r) scale_factor(histories, r, solved.cholesky);
    return absl::OkStatus();
  }

  void scale_factor(const HistoryBatch& histories, int32_t row, std::span<float> factors) const {
    const auto r = static_cast<size_t>(row), size = static_cast<size_t>(shape_.dimension) * static_cast<size_t>(shape_.dimension);
    const float scale = rule_.factor_scale(histories.offsets[r + 1] - histories.offsets[r]);
    if (scale == 1) return;
    for (float& x : factors.subspan(r * size, size)) x *= scale;
  }

  // The factors of all staged rows, those included whose profiles come from their dual. The rows are in the plan's order there, and here
  // as they stand in the batch.
  void factorize(int32_t first, int32_t count, std::span<float> to) {
    const int64_t size = int64_t{shape_.dimension} * shape_.dimension;
    const auto step = static_cast<int32_t>(factors_.size() / size);
    for (int32_t begin = 0; begin < count; begin += step) {
      const int32_t rows = std::min(step, count - begin);
      const DeviceSolutions out{.solved = nullptr, .stride = 0, .cholesky = factors_.data(), .first_row = begin, .failed = failed_.data()};
      factorize_rows(staging_.in_order(begin, rows), staging_.pairs(), source_, scratch_, out, stream_);
      factors_.download(to.subspan(static_cast<size_t>((first + begin) * size), static_cast<size_t>(rows * size)));
    }
  }

  const std::shared_ptr<const LoadedModel> model_;
  const Device& device_;
  const SolveSource& source_;
  const PriorMap* const prior_;  // null: the prior mean is zero
  const RidgeRule rule_;
  const ProfilerShape shape_;
  const Stream stream_;  // outlives all that follows
  HistoryStaging staging_;
  AttributeStaging attributes_;
  DeviceArray<float> means_;  // [max_batch, row_stride(d)], where there is a prior
  SolveScratch scratch_;
  DeviceArray<float> solved_;   // [max_batch, d]
  DeviceArray<float> factors_;  // [some, d, d]
  DeviceArray<int32_t> failed_;
  PinnedArray<float> host_solved_;
  PinnedArray<int32_t> host_failed_;
  CallClock clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Profiler>> make_cuda_profiler(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables,
                                                             const FoldInSource& source, ProfilerLimits limits) {
  if (absl::Status s = validate(limits); !s.ok()) return s;
  return guarded(tables.device(), "making a profiler", [&]() -> absl::StatusOr<std::unique_ptr<Profiler>> {
    const absl::Status fits = check_fits(profiler_memory(profiler_shape(tables, limits)), tables.device().free_bytes(), "a profiler",
                                         "A smaller batch (--max-batch), fewer models on the device or a larger one fits.");
    if (!fits.ok()) return fits;
    return std::make_unique<CudaProfiler>(std::move(model), tables, source, limits);
  });
}

ProfilerShape profiler_shape(const DeviceModel& tables, ProfilerLimits limits) {
  return {tables.fixed(limits.solved).rows, tables.dimension(), limits, tables.prior_columns(limits.solved),
          tables.prior(limits.solved).dense_count};
}

MemoryTable profiler_memory(const ProfilerShape& shape) {
  const int32_t dimension = shape.dimension;
  const ProfilerLimits& limits = shape.limits;
  MemoryTable table;
  HistoryStaging::count_memory(shape.item_count, limits.max_batch, table);
  AttributeStaging::count_memory(shape, table);
  table.add("prior means", means_size(shape) * int64_t{sizeof(float)});
  SolveScratch::count_memory(dimension, 0, limits.max_batch, table);
  table.add("solved profiles", int64_t{limits.max_batch} * dimension * int64_t{sizeof(float)});
  table.add("Cholesky factors", factors_at_a_time(dimension, limits.max_batch) * int64_t{dimension} * dimension * int64_t{sizeof(float)});
  return table;
}

}  // namespace bouquet::cuda
