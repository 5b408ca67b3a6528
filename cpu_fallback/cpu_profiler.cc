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
  CpuProfiler(std::shared_ptr<const LoadedModel> model, const FoldInSide& side, ProfilerLimits limits, std::shared_ptr<ThreadPool> pool)
      : model_(std::move(model)), side_(side), source_(side.source()), limits_(limits), pool_(std::move(pool)) {
    for (int i = 0; i < pool_->size(); ++i) {
      solvers_.emplace_back(source_);
      priors_.emplace_back(side.prior(), source_);
    }
  }

  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    const PriorMap& prior = side_.prior();
    const ProfilerShape shape{source_.vectors().rows(), source_.dimension(), limits_, std::max(0, prior.column_count()),
                              prior.dense_count()};
    if (absl::Status s = validate(histories, solved, shape); !s.ok()) return s;
    const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;

    constexpr int64_t kNoRow = std::numeric_limits<int64_t>::max();
    std::atomic<int64_t> failed{kNoRow};
    pool_->run((n + kTaskRows - 1) / kTaskRows, [&](int worker, int64_t task) {
      RowSolver& solver = solvers_[static_cast<size_t>(worker)];
      PriorMeans& prior_means = priors_[static_cast<size_t>(worker)];
      const int64_t begin = task * kTaskRows;
      const int64_t end = std::min(n, begin + kTaskRows);
      prior_means.compute(histories.attributes, begin, end - begin);
      for (int64_t r = begin; r < end; ++r) {
        if (solve_one(solver, histories, r, prior_means.row(r - begin), solved)) continue;
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
  bool solve_one(RowSolver& solver, const HistoryBatch& histories, int64_t r, const RowPrior& prior, const ProfileBatch& solved) const {
    const auto begin = static_cast<size_t>(histories.offsets[static_cast<size_t>(r)]);
    const size_t length = static_cast<size_t>(histories.offsets[static_cast<size_t>(r) + 1]) - begin;
    const GatherPairs pairs{histories.items.subspan(begin, length), histories.confidences.subspan(begin, length),
                            histories.targets.empty() ? histories.targets : histories.targets.subspan(begin, length)};
    const double ridge = side_.rule().solved_ridge(static_cast<int64_t>(length));
    if (!solver.solve(pairs, ridge, prior, solved.profiles.row(r).data())) return false;
    if (solved.cholesky.empty()) return true;
    const auto size = static_cast<size_t>(source_.dimension()) * static_cast<size_t>(source_.dimension());
    const auto factor = solved.cholesky.subspan(static_cast<size_t>(r) * size, size);
    if (!solver.cholesky(pairs, ridge, factor.data())) return false;
    for (float& x : factor) x *= side_.rule().factor_scale(static_cast<int64_t>(length));
    return true;
  }

  const std::shared_ptr<const LoadedModel> model_;
  const FoldInSide& side_;
  const SolveSource& source_;
  const ProfilerLimits limits_;
  const std::shared_ptr<ThreadPool> pool_;
  std::vector<RowSolver> solvers_;  // one per worker
  std::vector<PriorMeans> priors_;  // likewise
};

}  // namespace

FoldInSide::FoldInSide(const Model& model, int64_t loaded_customers, Side solved, ThreadPool& pool)
    : table_(FactorTable::copy_of(solved == Side::kCustomers ? model.item_matrix() : model.profile_matrix())),
      source_(table_, model.constants.unobserved_weight),
      rule_{model.constants.unobserved_weight, model.constants.regularization, model.constants.regularization_exponent,
            solved == Side::kCustomers ? model.constants.training_item_count : model.constants.training_customer_count,
            solved == Side::kCustomers ? model.constants.empty_history_share : 1} {
  // The Gram matrix is the training's: items added later are not in it.
  if (solved == Side::kCustomers)
    source_.refresh(model.item_gram.view(), pool);
  else
    source_.refresh(gram_of(table_, loaded_customers, pool), pool);
  const AttributePrior& prior = solved == Side::kCustomers ? model.customer_prior : model.item_prior;
  if (prior.map.empty()) return;
  const int32_t columns = prior.column_count(model.dimension);
  prior_ = PriorMap(columns, prior.dense_count, model.dimension);
  prior_.assign({prior.map.data(), int64_t{columns} + 1, model.dimension}, prior.missing_columns.view());
}

std::unique_ptr<Profiler> make_cpu_profiler(std::shared_ptr<const LoadedModel> model, const FoldInSide& side, ProfilerLimits limits,
                                            std::shared_ptr<ThreadPool> pool) {
  return std::make_unique<CpuProfiler>(std::move(model), side, limits, std::move(pool));
}

}  // namespace bouquet::cpu
