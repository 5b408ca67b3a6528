// Fold-in on the CPU: a half-step of training, for histories that come from anywhere.
#pragma once

#include <memory>

#include "cpu_fallback/prior_means.h"
#include "cpu_fallback/solve_source.h"
#include "engine/backend.h"
#include "engine/ridge_rule.h"

namespace bouquet::cpu {

// What one side is solved with: the other side's vectors, prepared, and the solved side's prior. Immutable, shared by profilers.
class FoldInSide {
 public:
  // Of the customers the first `loaded_customers` are in the Gram matrix that items are solved with: those added later never are. Throws
  // std::bad_alloc.
  FoldInSide(const Model& model, int64_t loaded_customers, Side solved, ThreadPool& pool);

  const SolveSource& source() const { return source_; }
  const PriorMap& prior() const { return prior_; }
  const RidgeRule& rule() const { return rule_; }

 private:
  FactorTable table_;
  SolveSource source_;
  PriorMap prior_;
  RidgeRule rule_;
};

// `side` lives inside `model`, which the profiler keeps alive. limits.max_batch >= 1. Throws std::bad_alloc.
std::unique_ptr<Profiler> make_cpu_profiler(std::shared_ptr<const LoadedModel> model, const FoldInSide& side, ProfilerLimits limits,
                                            std::shared_ptr<ThreadPool> pool);

}  // namespace bouquet::cpu
