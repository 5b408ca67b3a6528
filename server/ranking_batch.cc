#include "server/ranking_batch.h"

#include <algorithm>

namespace bouquet::server {

absl::StatusOr<RankingBatch> RankingBatch::make(const LoadedModel& model, MatrixView<const float> asking, RankerLimits limits) {
  auto ranker = model.make_ranker(Side::kItems, limits);
  if (!ranker.ok()) return ranker.status();
  RankingBatch batch;
  batch.ranker_ = *std::move(ranker);
  batch.asking_ = asking;
  batch.clear();
  return batch;
}

void RankingBatch::clear() {
  rows_.clear();
  vectors_.clear();
  offsets_.assign(1, 0);
  excluded_.clear();
  filters_.clear();
  filter_of_.clear();
  wanted_.clear();
  by_vector_ = false;
  k_ = 0;
}

int32_t RankingBatch::add_row(int32_t row, const Eligibility& eligibility, int32_t k) {
  if (by_vector_) return add_vector(asking_.row(row), eligibility, k);
  rows_.push_back(row);
  add_eligibility(eligibility, k);
  return size() - 1;
}

int32_t RankingBatch::add_vector(std::span<const float> vector, const Eligibility& eligibility, int32_t k) {
  // A call of the seam takes rows or vectors, not both: from the first vector on, rows are copied out as vectors, which score the same.
  if (!by_vector_)
    for (const int32_t row : rows_) vectors_.insert(vectors_.end(), asking_.row(row).begin(), asking_.row(row).end());
  by_vector_ = true;
  vectors_.insert(vectors_.end(), vector.begin(), vector.end());
  rows_.push_back(kNone);
  add_eligibility(eligibility, k);
  return size() - 1;
}

void RankingBatch::add_eligibility(const Eligibility& eligibility, int32_t k) {
  excluded_.insert(excluded_.end(), eligibility.excluded.begin(), eligibility.excluded.end());
  offsets_.push_back(static_cast<int64_t>(excluded_.size()));
  wanted_.push_back(k);
  k_ = std::max(k_, k);
  if (eligibility.filter.words.empty()) {
    filter_of_.push_back(kNone);
    return;
  }
  const auto known = std::find_if(filters_.begin(), filters_.end(),
                                  [&](BitmapView filter) { return filter.words.data() == eligibility.filter.words.data(); });
  filter_of_.push_back(static_cast<int32_t>(known - filters_.begin()));
  if (known == filters_.end()) filters_.push_back(eligibility.filter);
}

absl::Status RankingBatch::rank() {
  if (rows_.empty()) return absl::OkStatus();
  const size_t n = rows_.size() * static_cast<size_t>(k_);
  ranked_rows_.resize(n);
  ranked_scores_.resize(n);
  QueryBatch queries;
  if (by_vector_)
    queries.vectors = {vectors_.data(), size(), asking_.cols};
  else
    queries.rows = rows_;
  if (!excluded_.empty()) queries.exclusions = {offsets_, excluded_};
  if (!filters_.empty()) {
    queries.filters = filters_;
    queries.filter_of = filter_of_;
  }
  queries.k = k_;
  return ranker_->rank(queries, {ranked_rows_, ranked_scores_});
}

std::span<const int32_t> RankingBatch::rows(int32_t q) const {
  const std::span<const int32_t> all(ranked_rows_.data() + static_cast<size_t>(q) * static_cast<size_t>(k_),
                                     static_cast<size_t>(wanted_[static_cast<size_t>(q)]));
  return all.first(static_cast<size_t>(std::find(all.begin(), all.end(), kNone) - all.begin()));
}

std::span<const float> RankingBatch::scores(int32_t q) const {
  return {ranked_scores_.data() + static_cast<size_t>(q) * static_cast<size_t>(k_), rows(q).size()};
}

}  // namespace bouquet::server
