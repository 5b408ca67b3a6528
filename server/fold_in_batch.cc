#include "server/fold_in_batch.h"

namespace bouquet::server {

absl::StatusOr<FoldInBatch> FoldInBatch::make(const LoadedModel& model, int32_t dimension, const AttributePrior& prior,
                                              ProfilerLimits limits) {
  auto profiler = model.make_profiler(limits);
  if (!profiler.ok()) return profiler.status();
  FoldInBatch batch;
  batch.profiler_ = *std::move(profiler);
  batch.dimension_ = dimension;
  batch.column_count_ = prior.column_count(dimension);
  batch.dense_count_ = prior.dense_count;
  batch.clear();
  return batch;
}

void FoldInBatch::clear() {
  offsets_.assign(1, 0);
  items_.clear();
  confidences_.clear();
  targets_.clear();
  dense_.clear();
  attribute_offsets_.assign(1, 0);
  columns_.clear();
  values_.clear();
}

int32_t FoldInBatch::add(std::span<const HistoryEntry> history, const EncodedRow& attributes) {
  for (const HistoryEntry& entry : history) {
    items_.push_back(entry.item);
    confidences_.push_back(entry.confidence);
    targets_.push_back(entry.target);
  }
  offsets_.push_back(static_cast<int64_t>(items_.size()));
  if (has_prior()) {
    dense_.insert(dense_.end(), attributes.dense.begin(), attributes.dense.end());
    columns_.insert(columns_.end(), attributes.columns.begin(), attributes.columns.end());
    values_.insert(values_.end(), attributes.values.begin(), attributes.values.end());
    attribute_offsets_.push_back(static_cast<int64_t>(columns_.size()));
  }
  return static_cast<int32_t>(offsets_.size()) - 2;
}

// Rows [first, first + count); `offsets` [count + 1] begin at 0.
AttributeRows FoldInBatch::attributes(size_t first, size_t count, std::span<const int64_t> offsets) const {
  if (!has_prior()) return {};
  const auto begin = static_cast<size_t>(attribute_offsets_[first]);
  const size_t length = static_cast<size_t>(attribute_offsets_[first + count]) - begin;
  const auto width = static_cast<size_t>(dense_count_);
  return {column_count_,
          dense_count_,
          std::span(dense_).subspan(first * width, count * width),
          offsets,
          std::span(columns_).subspan(begin, length),
          std::span(values_).subspan(begin, length)};
}

void FoldInBatch::solve() {
  const auto n = static_cast<int64_t>(offsets_.size()) - 1;
  if (n == 0) return;
  profiles_.resize(static_cast<size_t>(n * dimension_));
  const HistoryBatch batch{offsets_, items_, confidences_, targets_, attributes(0, static_cast<size_t>(n), attribute_offsets_)};
  const absl::Status all = profiler_->solve(batch, {.profiles = {profiles_.data(), n, dimension_}});
  statuses_.assign(static_cast<size_t>(n), all);
  if (all.ok() || n == 1) return;
  for (size_t i = 0; i < statuses_.size(); ++i) statuses_[i] = solve_alone(i, {});
}

HistoryBatch FoldInBatch::history_alone(size_t position, std::array<int64_t, 2>& offsets, std::array<int64_t, 2>& attribute_offsets) const {
  const auto begin = static_cast<size_t>(offsets_[position]);
  const size_t length = static_cast<size_t>(offsets_[position + 1]) - begin;
  offsets = {0, static_cast<int64_t>(length)};
  if (has_prior()) attribute_offsets = {0, attribute_offsets_[position + 1] - attribute_offsets_[position]};
  const auto part = [&](const auto& all) { return std::span(all).subspan(begin, length); };
  return {offsets, part(items_), part(confidences_), part(targets_), attributes(position, 1, attribute_offsets)};
}

absl::Status FoldInBatch::solve_alone(size_t position, std::span<float> cholesky) {
  std::array<int64_t, 2> offsets{}, attribute_offsets{};
  const HistoryBatch alone = history_alone(position, offsets, attribute_offsets);
  float* const profile = profiles_.data() + position * static_cast<size_t>(dimension_);
  return profiler_->solve(alone, {.profiles = {profile, 1, dimension_}, .cholesky = cholesky});
}

absl::StatusOr<SolvedCustomer> FoldInBatch::solved(int32_t position, std::vector<float>& cholesky) {
  const auto at = static_cast<size_t>(position);
  cholesky.resize(static_cast<size_t>(dimension_) * static_cast<size_t>(dimension_));
  if (absl::Status s = solve_alone(at, cholesky); !s.ok()) return s;
  std::array<int64_t, 2> offsets{};
  const HistoryBatch alone = history_alone(at, offsets, explained_attributes_);
  return SolvedCustomer{alone.items, alone.confidences, alone.targets, alone.attributes, profile(position), cholesky};
}

std::span<const float> FoldInBatch::profile(int32_t position) const {
  return std::span(profiles_).subspan(static_cast<size_t>(position) * static_cast<size_t>(dimension_), static_cast<size_t>(dimension_));
}

}  // namespace bouquet::server
