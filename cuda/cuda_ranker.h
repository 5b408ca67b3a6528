// Exact top-k on the GPU: bounds of the scores of a tile of rows, then the best of the tile into lists that are kept from tile to tile
// (docs/algorithms/ranking.md).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cuda/device_model.h"
#include "cuda/rank_plan.h"
#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// A ranker with a stream and scratch memory of its own. `model` owns the arrays of `tables` and is kept alive. Errors: InvalidArgument
// (limits), ResourceExhausted (with the memory table, before anything is allocated, where the device has too little), Internal.
absl::StatusOr<std::unique_ptr<Ranker>> make_cuda_ranker(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, Side side,
                                                         RankerLimits limits);

// The same with a plan of the caller's: for tests that cut small tables into many tiles.
absl::StatusOr<std::unique_ptr<Ranker>> make_cuda_ranker(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables, Side side,
                                                         RankerLimits limits, const RankPlan& plan);

// What a ranker with that plan needs on the device, apart from the model.
MemoryTable ranker_memory(const RankPlan& plan, int32_t dimension, int32_t max_k);

}  // namespace bouquet::cuda
