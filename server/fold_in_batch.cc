#include "server/fold_in_batch.h"

#include <array>

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

void FoldInBatch::solve() {
  const auto n = static_cast<int64_t>(offsets_.size()) - 1;
  if (n == 0) return;
  profiles_.resize(static_cast<size_t>(n * dimension_));
  const absl::Status all = profiler_->solve({offsets_, items_, confidences_, targets_}, {.profiles = {profiles_.data(), n, dimension_}});
  statuses_.assign(static_cast<size_t>(n), all);
  if (all.ok() || n == 1) return;
  for (size_t i = 0; i < statuses_.size(); ++i) statuses_[i] = solve_alone(i);
}

absl::Status FoldInBatch::solve_alone(size_t position) {
  const auto begin = static_cast<size_t>(offsets_[position]);
  const size_t length = static_cast<size_t>(offsets_[position + 1]) - begin;
  const std::array<int64_t, 2> offsets{0, static_cast<int64_t>(length)};
  const auto part = [&](const auto& all) { return std::span(all).subspan(begin, length); };
  float* const profile = profiles_.data() + position * static_cast<size_t>(dimension_);
  return profiler_->solve({offsets, part(items_), part(confidences_), part(targets_)}, {.profiles = {profile, 1, dimension_}});
}

std::span<const float> FoldInBatch::profile(int32_t position) const {
  return std::span(profiles_).subspan(static_cast<size_t>(position) * static_cast<size_t>(dimension_), static_cast<size_t>(dimension_));
}

}  // namespace bouquet::server
