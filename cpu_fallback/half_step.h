// One exact half-step: every row of one side solved against the other side, which stays fixed.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/prior_means.h"
#include "cpu_fallback/row_solver.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/interactions.h"
#include "engine/ridge_rule.h"

namespace bouquet::cpu {

// One side's rows cut into tasks, longest first so that no thread is left with a long row at the end. Made once per training.
class HalfStep {
 public:
  // `name` is what a row is called in an error: "customer" or "item". `rows`, `source`, `attributes` and `prior` outlive this; a map
  // without a table: there is no prior.
  HalfStep(const char* name, const SparseRows& rows, const SolveSource& source, const RidgeRule& rule, const AttributeTable& attributes,
           const PriorMap& prior, int threads);

  // Writes row r of `solved` for every row. Errors: InvalidArgument, naming the first row whose matrix is not positive definite.
  absl::Status run(FactorTable& solved, ThreadPool& pool);

 private:
  struct Task {
    int32_t begin, end;  // rows
  };

  const char* name_;
  const SparseRows& rows_;
  RidgeRule rule_;
  std::vector<Task> tasks_;
  AttributeRows attributes_;
  std::vector<RowSolver> solvers_;  // one per worker
  std::vector<PriorMeans> priors_;  // likewise
};

}  // namespace bouquet::cpu
