#include "server/profile_solver.h"

#include <algorithm>

namespace bouquet::server {

absl::StatusOr<std::unique_ptr<ProfileSolver>> ProfileSolver::make(const ServedModel& served, int32_t max_batch,
                                                                   const LiveKnowledge& live) {
  auto fold_in =
      FoldInBatch::make(*served.profiles(), served.dimension(), served.artifact().model.customer_prior, {.max_batch = max_batch});
  if (!fold_in.ok()) return fold_in.status();
  const LiveKnowledge unobserved{live.source, live.profiles};  // nobody has asked
  return std::unique_ptr<ProfileSolver>(new ProfileSolver(served, *std::move(fold_in), unobserved));
}

int64_t ProfileSolver::solve(std::span<const std::string> customer_ids) {
  static const AttributeMap nothing_sent;
  fold_in_.clear();
  askers_.resize(std::max(askers_.size(), customer_ids.size()));
  size_t count = 0;
  for (const std::string& id : customer_ids) {
    Asker& asker = askers_[count];
    const Subject subject{.customer_id = &id, .attributes = nothing_sent};
    if (reader_.read(subject, false, asker).ok() && asker.kept && asker.fresh == nullptr) ++count;
  }
  fold_in_.solve();
  for (size_t i = 0; i < count; ++i) reader_.keep(askers_[i]);
  return static_cast<int64_t>(count);
}

}  // namespace bouquet::server
