// What serving a model needs on the device: computed without one, by the functions that size the arrays.
#pragma once

#include <cstdint>

#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

struct ServedModel {
  int64_t customers = 0;
  int64_t items = 0;
  int32_t dimension = 0;
  int32_t prior_columns = 0;  // of the prior of the side that profilers solve: all, ...
  int32_t prior_dense = 0;    // ... and the dense ones
};

// The model's own arrays.
MemoryTable model_memory(const ServedModel& model);

// One ranker over `side`, on a device with that many multiprocessors.
MemoryTable ranker_memory(const ServedModel& model, Side side, RankerLimits limits, int multiprocessors);

struct Serving {
  int32_t item_rankers = 0;  // workers that rank items
  RankerLimits ranker_limits;
  int32_t profilers = 0;
  ProfilerLimits profiler_limits;
};

// All of it together: the model, its rankers, and what fold-in takes where there is a profiler.
MemoryTable serving_memory(const ServedModel& model, const Serving& serving, int multiprocessors);

}  // namespace bouquet::cuda
