#include "server/fold_in_batch.h"

namespace bouquet::server {

absl::StatusOr<FoldInBatch> FoldInBatch::make(const LoadedModel& model, int32_t dimension, ProfilerLimits limits) {
  auto profiler = model.make_profiler(limits);
  if (!profiler.ok()) return profiler.status();
  FoldInBatch batch;
  batch.profiler_ = *std::move(profiler);
  batch.dimension_ = dimension;
  batch.clear();
  return batch;
}

void FoldInBatch::clear() {
  offsets_.assign(1, 0);
  items_.clear();
  confidences_.clear();
  targets_.clear();
}

int32_t FoldInBatch::add(std::span<const HistoryEntry> history) {
  for (const HistoryEntry& entry : history) {
    items_.push_back(entry.item);
    confidences_.push_back(entry.confidence);
    targets_.push_back(entry.target);
  }
  offsets_.push_back(static_cast<int64_t>(items_.size()));
  return static_cast<int32_t>(offsets_.size()) - 2;
}

absl::Status FoldInBatch::solve() {
  const auto n = static_cast<int64_t>(offsets_.size()) - 1;
  if (n == 0) return absl::OkStatus();
  profiles_.resize(static_cast<size_t>(n * dimension_));
  return profiler_->solve({offsets_, items_, confidences_, targets_}, {.profiles = {profiles_.data(), n, dimension_}});
}

std::span<const float> FoldInBatch::profile(int32_t position) const {
  return std::span(profiles_).subspan(static_cast<size_t>(position) * static_cast<size_t>(dimension_), static_cast<size_t>(dimension_));
}

}  // namespace bouquet::server
