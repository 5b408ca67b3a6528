// What serving a model needs on the device: computed without one, by the functions that size the arrays. Each part (the model, a ranker,
// fold-in, a profiler) is refused with its table before it allocates anything; a model that is refused in any part leaves the one before it
// serving.
#pragma once

#include <cstdint>

#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

struct ServedModel {
  int64_t customers = 0;
  int64_t items = 0;
  int32_t dimension = 0;
};

// The model's own arrays.
MemoryTable model_memory(const ServedModel& model);

// One ranker over `side`, on a device with that many multiprocessors.
MemoryTable ranker_memory(const ServedModel& model, Side side, RankerLimits limits, int multiprocessors);

// A model that judges a training's epochs and its rankers, on a device with that many multiprocessors.
MemoryTable judging_memory(const JudgingShape& shape, int multiprocessors);

}  // namespace bouquet::cuda
