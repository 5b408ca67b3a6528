#include "cpu_fallback/cpu_profiler.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "cpu_fallback/row_solver.h"
#include "engine/fold_in_checks.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kTaskRows = 16;  // as many histories as share one rotation of their solutions

class CpuProfiler final : public Profiler {
 public:
  CpuProfiler(std::shared_ptr<const LoadedModel> model, const SolveSource& source, const RidgeRule& rule, ProfilerLimits limits,
              std::shared_ptr<ThreadPool> pool)
      : model_(std::move(model)), source_(source), rule_(rule), limits_(limits), pool_(std::move(pool)) {
    for (int i = 0; i < pool_->size(); ++i) solvers_.emplace_back(source);
  }

  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    const ProfilerShape shape{source_.vectors().rows(), source_.dimension(), limits_};
    if (absl::Status s = validate(histories, solved, shape); !s.ok()) return s;
    const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;

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
