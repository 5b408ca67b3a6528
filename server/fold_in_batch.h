// The histories of one batch whose profiles are solved on the spot, in one call of the seam.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/event_rules.h"
#include "engine/explanation.h"
#include "server/request_attributes.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class FoldInBatch {
 public:
  // `prior`: the model's for customers.
  static absl::StatusOr<FoldInBatch> make(const LoadedModel& model, int32_t dimension, const AttributePrior& prior, ProfilerLimits limits);

  void clear();
  bool has_prior() const { return attributes_.rows().column_count > 0; }
  // Adds a history, ascending by item, with the customer's attributes where the model has a prior (nothing is read of them otherwise).
  // Returns its position.
  int32_t add(std::span<const HistoryEntry> history, const EncodedRow& attributes);

  // One call of the seam for limits.max_batch histories at a time; where that fails, one per history, so that a history that has no profile
  // leaves the others alone.
  void solve();

  // After solve(): Ok, or why this history has no profile (the errors of Profiler::solve).
  const absl::Status& status(int32_t position) const { return statuses_[static_cast<size_t>(position)]; }
  // After solve(), where its status is Ok: [d].
  std::span<const float> profile(int32_t position) const;
  // After solve(), where its status is Ok: all that an explanation needs; `cholesky` is filled here and outlives the result, which
  // otherwise lives until clear(). Errors: those of Profiler::solve.
  absl::StatusOr<SolvedCustomer> solved(int32_t position, std::vector<float>& cholesky);

 private:
  FoldInBatch() = default;
  // Where the rows of a part of the batch begin, counted from its own first one.
  struct PartOffsets {
    std::vector<int64_t> history, attributes;
  };
  HistoryBatch part(size_t begin, size_t count, PartOffsets& offsets) const;
  void solve_part(size_t begin, size_t count);
  absl::Status solve_alone(size_t position, std::span<float> cholesky);

  std::unique_ptr<Profiler> profiler_;
  int32_t dimension_ = 0;
  size_t max_batch_ = 1;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> items_;
  std::vector<float> confidences_;
  std::vector<float> targets_;
  GrowingAttributes attributes_;  // without columns where the model has no prior
  PartOffsets explained_;         // of the last that solved() returned
  std::vector<float> profiles_;
  std::vector<absl::Status> statuses_;
};

}  // namespace bouquet::server
