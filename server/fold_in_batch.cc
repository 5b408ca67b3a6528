#include "server/fold_in_batch.h"

#include <algorithm>

namespace bouquet::server {

absl::StatusOr<FoldInBatch> FoldInBatch::make(const LoadedModel& model, int32_t dimension, const AttributePrior& prior,
                                              ProfilerLimits limits) {
  auto profiler = model.make_profiler(limits);
  if (!profiler.ok()) return profiler.status();
  FoldInBatch batch;
  batch.profiler_ = *std::move(profiler);
  batch.dimension_ = dimension;
  batch.max_batch_ = static_cast<size_t>(limits.max_batch);
  batch.attributes_ = GrowingAttributes(prior.column_count(dimension), prior.dense_count);
  batch.clear();
  return batch;
}

void FoldInBatch::clear() {
  offsets_.assign(1, 0);
  items_.clear();
  confidences_.clear();
  targets_.clear();
  attributes_.clear();
}

int32_t FoldInBatch::add(std::span<const HistoryEntry> history, const EncodedRow& attributes) {
  for (const HistoryEntry& entry : history) {
    items_.push_back(entry.item);
    confidences_.push_back(entry.confidence);
    targets_.push_back(entry.target);
  }
  offsets_.push_back(static_cast<int64_t>(items_.size()));
  if (has_prior()) attributes_.append(attributes.dense, attributes.columns, attributes.values);
  return static_cast<int32_t>(offsets_.size()) - 2;
}

void FoldInBatch::solve() {
  const size_t n = offsets_.size() - 1;
  profiles_.resize(n * static_cast<size_t>(dimension_));
  statuses_.assign(n, absl::OkStatus());
  for (size_t begin = 0; begin < n; begin += max_batch_) solve_part(begin, std::min(max_batch_, n - begin));
}

void FoldInBatch::solve_part(size_t begin, size_t count) {
  PartOffsets offsets;
  const auto d = static_cast<size_t>(dimension_);
  const absl::Status all =
      profiler_->solve(part(begin, count, offsets), {.profiles = {profiles_.data() + begin * d, static_cast<int64_t>(count), dimension_}});
  for (size_t i = begin; i < begin + count; ++i) statuses_[i] = all.ok() || count == 1 ? all : solve_alone(i, {});
}

HistoryBatch FoldInBatch::part(size_t begin, size_t count, PartOffsets& offsets) const {
  const auto rebased = [&](std::span<const int64_t> all, std::vector<int64_t>& own) {
    own.clear();
    for (size_t i = begin; i <= begin + count; ++i) own.push_back(all[i] - all[begin]);
  };
  const auto of_rows = [&](const auto& values, std::span<const int64_t> all) {
    return std::span(values).subspan(static_cast<size_t>(all[begin]), static_cast<size_t>(all[begin + count] - all[begin]));
  };
  rebased(offsets_, offsets.history);
  HistoryBatch batch{offsets.history, of_rows(items_, offsets_), of_rows(confidences_, offsets_), of_rows(targets_, offsets_),
                     AttributeRows{}};
  if (!has_prior()) return batch;
  const AttributeRows all = attributes_.rows();
  const auto dense = static_cast<size_t>(all.dense_count);
  rebased(all.offsets, offsets.attributes);
  batch.attributes = {all.column_count,
                      all.dense_count,
                      all.dense.subspan(begin * dense, count * dense),
                      offsets.attributes,
                      of_rows(all.columns, all.offsets),
                      of_rows(all.values, all.offsets)};
  return batch;
}

absl::Status FoldInBatch::solve_alone(size_t position, std::span<float> cholesky) {
  PartOffsets offsets;
  float* const profile = profiles_.data() + position * static_cast<size_t>(dimension_);
  return profiler_->solve(part(position, 1, offsets), {.profiles = {profile, 1, dimension_}, .cholesky = cholesky});
}

absl::StatusOr<SolvedCustomer> FoldInBatch::solved(int32_t position, std::vector<float>& cholesky) {
  const auto at = static_cast<size_t>(position);
  cholesky.resize(static_cast<size_t>(dimension_) * static_cast<size_t>(dimension_));
  if (absl::Status s = solve_alone(at, cholesky); !s.ok()) return s;
  const HistoryBatch alone = part(at, 1, explained_);
  return SolvedCustomer{alone.items, alone.confidences, alone.targets, alone.attributes, profile(position), cholesky};
}

std::span<const float> FoldInBatch::profile(int32_t position) const {
  return std::span(profiles_).subspan(static_cast<size_t>(position) * static_cast<size_t>(dimension_), static_cast<size_t>(dimension_));
}

}  // namespace bouquet::server
