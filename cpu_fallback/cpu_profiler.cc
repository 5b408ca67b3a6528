#include "cpu_fallback/cpu_profiler.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "cpu_fallback/row_solver.h"
#include "engine/errors.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kTaskRows = 16;  // as many histories as share one rotation of their solutions

absl::Status wrong_history(int64_t r, const std::string& what) { return wrong_usage("history " + std::to_string(r) + ": " + what); }

absl::Status check_pairs(const HistoryBatch& histories, int64_t r, int64_t item_count) {
  const auto begin = static_cast<size_t>(histories.offsets[static_cast<size_t>(r)]);
  const auto end = static_cast<size_t>(histories.offsets[static_cast<size_t>(r) + 1]);
  for (size_t k = begin; k < end; ++k) {
    const int32_t item = histories.items[k];
    if (item < 0 || item >= item_count)
      return wrong_history(r, "item " + std::to_string(item) + " is not in [0, " + std::to_string(item_count) + ")");
    if (k > begin && item <= histories.items[k - 1]) return wrong_history(r, "its items do not ascend at item " + std::to_string(item));
    const float confidence = histories.confidences[k];
    if (!(confidence > 0) || !std::isfinite(confidence))
      return wrong_history(
          r, "the confidence of item " + std::to_string(item) + " is " + std::to_string(confidence) + ", not positive and finite");
    if (!histories.targets.empty() && !std::isfinite(histories.targets[k]))
      return wrong_history(r, "the target of item " + std::to_string(item) + " is not finite");
  }
  return absl::OkStatus();
}

absl::Status check_shapes(const HistoryBatch& histories, const ProfileBatch& solved, int64_t d, int64_t max_batch) {
  if (histories.offsets.empty()) return wrong_usage("a batch of n histories has n + 1 offsets; there are none");
  const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;
  if (n > max_batch) return wrong_usage(std::to_string(n) + " histories are more than the limit of " + std::to_string(max_batch));
  if (histories.offsets[0] != 0 || !std::ranges::is_sorted(histories.offsets)) return wrong_usage("the offsets do not ascend from 0");
  const auto pairs = static_cast<size_t>(histories.offsets.back());
  if (histories.items.size() != pairs || histories.confidences.size() != pairs ||
      (!histories.targets.empty() && histories.targets.size() != pairs))
    return wrong_usage("items, confidences and targets do not have as many entries as the last offset says");
  if (solved.profiles.rows != n || solved.profiles.cols != d)
    return wrong_usage("the profiles to fill are " + std::to_string(solved.profiles.rows) + " x " + std::to_string(solved.profiles.cols) +
                       ", not " + std::to_string(n) + " x " + std::to_string(d));
  if (!solved.cholesky.empty() && static_cast<int64_t>(solved.cholesky.size()) != n * d * d)
    return wrong_usage("the space for Cholesky factors is not n x d x d");
  return absl::OkStatus();
}

class CpuProfiler final : public Profiler {
 public:
  CpuProfiler(std::shared_ptr<const LoadedModel> model, const SolveSource& source, const RidgeRule& rule, ProfilerLimits limits,
              std::shared_ptr<ThreadPool> pool)
      : model_(std::move(model)), source_(source), rule_(rule), limits_(limits), pool_(std::move(pool)) {
    for (int i = 0; i < pool_->size(); ++i) solvers_.emplace_back(source);
  }

  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    if (absl::Status s = check_shapes(histories, solved, source_.dimension(), limits_.max_batch); !s.ok()) return s;
    const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;
    for (int64_t r = 0; r < n; ++r)
      if (absl::Status s = check_pairs(histories, r, source_.vectors().rows()); !s.ok()) return s;

    constexpr int64_t kNoRow = std::numeric_limits<int64_t>::max();
    std::atomic<int64_t> failed{kNoRow};
    pool_->run((n + kTaskRows - 1) / kTaskRows, [&](int worker, int64_t task) {
      RowSolver& solver = solvers_[static_cast<size_t>(worker)];
      for (int64_t r = task * kTaskRows; r < std::min(n, (task + 1) * kTaskRows); ++r) {
        if (solve_one(solver, histories, r, solved)) continue;
        int64_t first = failed.load();
        while (r < first && !failed.compare_exchange_weak(first, r)) {
        }
      }
      solver.finish();
    });
    if (failed == kNoRow) return absl::OkStatus();
    return absl::InternalError("history " + std::to_string(failed.load()) + ": its matrix is not positive definite");
  }

 private:
  bool solve_one(RowSolver& solver, const HistoryBatch& histories, int64_t r, const ProfileBatch& solved) const {
    const auto begin = static_cast<size_t>(histories.offsets[static_cast<size_t>(r)]);
    const size_t length = static_cast<size_t>(histories.offsets[static_cast<size_t>(r) + 1]) - begin;
    const GatherPairs pairs{histories.items.subspan(begin, length), histories.confidences.subspan(begin, length),
                            histories.targets.empty() ? histories.targets : histories.targets.subspan(begin, length)};
    const double ridge = rule_.ridge(static_cast<int64_t>(length));
    if (!solver.solve(pairs, ridge, solved.profiles.row(r).data())) return false;
    const auto size = static_cast<size_t>(source_.dimension()) * static_cast<size_t>(source_.dimension());
    return solved.cholesky.empty() || solver.cholesky(pairs, ridge, solved.cholesky.data() + static_cast<size_t>(r) * size);
  }

  const std::shared_ptr<const LoadedModel> model_;
  const SolveSource& source_;
  const RidgeRule rule_;
  const ProfilerLimits limits_;
  const std::shared_ptr<ThreadPool> pool_;
  std::vector<RowSolver> solvers_;  // one per worker
};

}  // namespace

std::unique_ptr<Profiler> make_cpu_profiler(std::shared_ptr<const LoadedModel> model, const SolveSource& source, const RidgeRule& rule,
                                            ProfilerLimits limits, std::shared_ptr<ThreadPool> pool) {
  return std::make_unique<CpuProfiler>(std::move(model), source, rule, limits, std::move(pool));
}

}  // namespace bouquet::cpu
