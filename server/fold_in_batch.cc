#include "server/fold_in_batch.h"

namespace bouquet::server {

absl::StatusOr<FoldInBatch> FoldInBatch::make(const LoadedModel& model, int32_t dimension, const AttributePrior& prior,
                                              ProfilerLimits limits) {
  auto profiler = model.make_profiler(limits);
  if (!profiler.ok()) return profiler.status();
  FoldInBatch batch;
  batch.profiler_ = *std::move(profiler);
  batch.dimension_ = dimension;
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
  const auto n = static_cast<int64_t>(offsets_.size()) - 1;
  if (n == 0) return;
  profiles_.resize(static_cast<size_t>(n * dimension_));
  const HistoryBatch batch{offsets_, items_, confidences_, targets_, has_prior() ? attributes_.rows() : AttributeRows{}};
  const absl::Status all = profiler_->solve(batch, {.profiles = {profiles_.data(), n, dimension_}});
  statuses_.assign(static_cast<size_t>(n), all);
  if (all.ok() || n == 1) return;
  for (size_t i = 0; i < statuses_.size(); ++i) statuses_[i] = solve_alone(i, {});
}

HistoryBatch FoldInBatch::history_alone(size_t position, std::array<int64_t, 2>& offsets, std::array<int64_t, 2>& attribute_offsets) const {
  const auto begin = static_cast<size_t>(offsets_[position]);
  const size_t length = static_cast<size_t>(offsets_[position + 1]) - begin;
  offsets = {0, static_cast<int64_t>(length)};
  const auto part = [&](const auto& all) { return std::span(all).subspan(begin, length); };
  return {offsets, part(items_), part(confidences_), part(targets_),
          has_prior() ? attributes_.rows().one_row(static_cast<int64_t>(position), attribute_offsets) : AttributeRows{}};
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

absl::Status FoldInBatch::solve_empty(std::vector<float>& cholesky) {
  const auto d = static_cast<size_t>(dimension_);
  cholesky.resize(d * d);
  std::vector<float> unused(d);
  const std::array<int64_t, 2> offsets{0, 0};
  const AttributeRows wanted = attributes_.rows();
  GrowingAttributes nothing(wanted.column_count, wanted.dense_count);
  nothing.append(std::vector<float>(static_cast<size_t>(wanted.dense_count), 0), {}, {});
  const HistoryBatch history{offsets, {}, {}, {}, has_prior() ? nothing.rows() : AttributeRows{}};
  return profiler_->solve(history, {.profiles = {unused.data(), 1, dimension_}, .cholesky = cholesky});
}

std::span<const float> FoldInBatch::profile(int32_t position) const {
  return std::span(profiles_).subspan(static_cast<size_t>(position) * static_cast<size_t>(dimension_), static_cast<size_t>(dimension_));
}

}  // namespace bouquet::server
