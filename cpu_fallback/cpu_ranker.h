// Exact top-k on the CPU (docs/algorithms/ranking.md).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cpu_fallback/rank_table.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/backend.h"

namespace bouquet::cpu {

// A ranker of `ranked` for queries that are rows of `asking` [M, d] or vectors [n, d]. `model` owns the memory behind both and is
// kept alive; `pool` outlives the ranker and may be shared with others. Errors: InvalidArgument (limits), ResourceExhausted.
absl::StatusOr<std::unique_ptr<Ranker>> make_cpu_ranker(std::shared_ptr<const LoadedModel> model, MatrixView<const float> asking,
                                                        std::shared_ptr<const RankTable> ranked, RankerLimits limits, ThreadPool& pool);

}  // namespace bouquet::cpu
