// The questions of one batch that need the ranker, gathered and ranked in one call of the seam.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"

namespace bouquet::server {

// What may be returned. Borrowed.
struct Eligibility {
  std::span<const ItemIndex> excluded;  // ascending, distinct
  BitmapView filter = {};               // over items, valid until rank() is done; without words: every item
};

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class RankingBatch {
 public:
  // `model` is one of the two loaded models of a ServedModel, `asking` that model's rows for queries by row; both outlive the batch.
  static absl::StatusOr<RankingBatch> make(const LoadedModel& model, MatrixView<const float> asking, RankerLimits limits);

  void clear();
  int32_t size() const { return static_cast<int32_t>(rows_.size()); }
  // Add a query by row or by vector (copied). Return its position. At most limits.max_batch, k at most limits.max_k.
  int32_t add_row(int32_t row, const Eligibility& eligibility, int32_t k);
  int32_t add_vector(std::span<const float> vector, const Eligibility& eligibility, int32_t k);

  // Errors: those of Ranker::rank.
  absl::Status rank();

  // The answer of query `q` after rank(): its best rows, without padding, and their scores.
  std::span<const int32_t> rows(int32_t q) const;
  std::span<const float> scores(int32_t q) const;

 private:
  RankingBatch() = default;
  void add_eligibility(const Eligibility& eligibility, int32_t k);

  std::unique_ptr<Ranker> ranker_;
  MatrixView<const float> asking_;
  std::vector<int32_t> rows_;     // kNone: by vector
  std::vector<float> vectors_;    // [size, d] once a query came by vector
  std::vector<int64_t> offsets_;  // of excluded_
  std::vector<int32_t> excluded_;
  std::vector<BitmapView> filters_;  // distinct
  std::vector<int32_t> filter_of_;
  std::vector<int32_t> wanted_;  // k of each query
  bool by_vector_ = false;
  int32_t k_ = 0;  // the largest of the batch
  std::vector<int32_t> ranked_rows_;
  std::vector<float> ranked_scores_;
};

}  // namespace bouquet::server
