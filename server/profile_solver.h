// Solves the profiles of customers of whom something new is known before anybody asks for them. Of one model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/asker.h"
#include "server/fold_in_batch.h"
#include "server/served_model.h"

namespace bouquet::server {

// One thread's; its memory is reused. Not thread-safe.
class ProfileSolver {
 public:
  // `served`, which has items, and `live`, which has both, outlive the solver. Errors: those of make_profiler.
  static absl::StatusOr<std::unique_ptr<ProfileSolver>> make(const ServedModel& served, int32_t max_batch, const LiveKnowledge& live);

  // Puts into `live.profiles` what the next request of each customer would have solved and put there; who has nothing new, or has it there
  // already, is passed over. A customer who cannot be read or solved is left to that request. Returns how many were solved.
  int64_t solve(std::span<const std::string> customer_ids);

 private:
  ProfileSolver(const ServedModel& served, FoldInBatch fold_in, const LiveKnowledge& live)
      : fold_in_(std::move(fold_in)), reader_(served, &fold_in_, live, nullptr, nullptr) {}

  FoldInBatch fold_in_;
  AskerReader reader_;
  std::vector<Asker> askers_;
};

}  // namespace bouquet::server
