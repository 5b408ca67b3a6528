// The histories of one batch whose profiles are solved on the spot, in one call of the seam.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/event_rules.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class FoldInBatch {
 public:
  static absl::StatusOr<FoldInBatch> make(const LoadedModel& model, int32_t dimension, ProfilerLimits limits);

  void clear();
  // Adds a history, ascending by item. Returns its position. At most limits.max_batch.
  int32_t add(std::span<const HistoryEntry> history);

  // One call of the seam; where that fails, one per history, so that a history that has no profile leaves the others alone.
  void solve();

  // After solve(): Ok, or why this history has no profile (the errors of Profiler::solve).
  const absl::Status& status(int32_t position) const { return statuses_[static_cast<size_t>(position)]; }
  // After solve(), where its status is Ok: [d].
  std::span<const float> profile(int32_t position) const;

 private:
  FoldInBatch() = default;
  absl::Status solve_alone(size_t position);

  std::unique_ptr<Profiler> profiler_;
  int32_t dimension_ = 0;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> items_;
  std::vector<float> confidences_;
  std::vector<float> targets_;
  std::vector<float> profiles_;
  std::vector<absl::Status> statuses_;
};

}  // namespace bouquet::server
