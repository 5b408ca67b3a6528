// Fold-in on the CPU: the customers' half-step of training, for histories that come from anywhere.
#pragma once

#include <memory>

#include "cpu_fallback/solve_source.h"
#include "engine/backend.h"
#include "engine/ridge_rule.h"

namespace bouquet::cpu {

// `source` (the items, refreshed) lives inside `model`, which the profiler keeps alive. limits.max_batch >= 1. Throws std::bad_alloc.
std::unique_ptr<Profiler> make_cpu_profiler(std::shared_ptr<const LoadedModel> model, const SolveSource& source, const RidgeRule& rule,
                                            ProfilerLimits limits, std::shared_ptr<ThreadPool> pool);

}  // namespace bouquet::cpu
