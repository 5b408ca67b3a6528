#include "cpu_fallback/half_step.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>

#include "engine/errors.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kLongRow = 8192;     // pairs; such a row is a task of its own
constexpr int64_t kTaskPairs = 16384;  // pairs of a task of several rows
constexpr int32_t kTaskRows = 512;

GatherPairs pairs_of(const SparseRows& rows, int32_t r) {
  const auto begin = static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]);
  const auto length = static_cast<size_t>(rows.row_length(r));
  return {std::span(rows.columns).subspan(begin, length), std::span(rows.confidences).subspan(begin, length),
          rows.targets.empty() ? std::span<const float>() : std::span(rows.targets).subspan(begin, length)};
}

}  // namespace

HalfStep::HalfStep(const char* name, const SparseRows& rows, const SolveSource& source, const RidgeRule& rule,
                   const AttributeTable& attributes, const PriorMap& prior, int threads)
    : name_(name), rows_(rows), rule_(rule), attributes_(attributes.rows()) {
  for (int32_t begin = 0; begin < rows.row_count();) {
    int32_t end = begin + 1;
    int64_t pairs = rows.row_length(begin);
    while (pairs <= kLongRow && end < rows.row_count() && end - begin < kTaskRows && rows.row_length(end) <= kLongRow &&
           pairs + rows.row_length(end) <= kTaskPairs)
      pairs += rows.row_length(end++);
    tasks_.push_back({begin, end});
    begin = end;
  }
  const auto pairs_in = [&](const Task& t) {
    return rows.offsets[static_cast<size_t>(t.end)] - rows.offsets[static_cast<size_t>(t.begin)];
  };
  std::ranges::stable_sort(tasks_, [&](const Task& a, const Task& b) { return pairs_in(a) > pairs_in(b); });
  for (int i = 0; i < threads; ++i) {
    solvers_.emplace_back(source);
    priors_.emplace_back(prior, source);
  }
}

absl::Status HalfStep::run(FactorTable& solved, ThreadPool& pool) {
  constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();
  std::atomic<int32_t> failed{kNoRow};
  pool.run(static_cast<int64_t>(tasks_.size()), [&](int worker, int64_t task) {
    RowSolver& solver = solvers_[static_cast<size_t>(worker)];
    PriorMeans& prior = priors_[static_cast<size_t>(worker)];
    const auto [begin, end] = tasks_[static_cast<size_t>(task)];
    for (int32_t r = begin; r < end; ++r) {
      const int64_t in_batch = (r - begin) % PriorMeans::kBatch;
      if (in_batch == 0) prior.compute(attributes_, r, std::min<int64_t>(PriorMeans::kBatch, end - r));
      if (solver.solve(pairs_of(rows_, r), rule_.ridge(rows_.row_length(r)), prior.row(in_batch), solved.row(r))) continue;
      int32_t first = failed.load();
      while (r < first && !failed.compare_exchange_weak(first, r)) {
      }
    }
    solver.finish();
  });
  if (failed == kNoRow) return absl::OkStatus();
  return wrong_usage(std::string(name_) + " row " + std::to_string(failed.load()) +
                     ": its matrix is not positive definite; a larger --regularization keeps it so");
}

}  // namespace bouquet::cpu
