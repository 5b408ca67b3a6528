// Fold-in on the device: a half-step of training, for histories that come from anywhere.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cuda/device_model.h"
#include "cuda/fold_in_source.h"
#include "engine/backend.h"
#include "engine/fold_in_checks.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// `tables` and `source`, which is of limits.solved, live inside `model`, which the profiler keeps alive. Errors: InvalidArgument (limits),
// ResourceExhausted (with the memory table, before anything is allocated, where the device has too little), Internal.
absl::StatusOr<std::unique_ptr<Profiler>> make_cuda_profiler(std::shared_ptr<const LoadedModel> model, const DeviceModel& tables,
                                                             const FoldInSource& source, ProfilerLimits limits);

// The sizes of a profiler of that model.
ProfilerShape profiler_shape(const DeviceModel& tables, ProfilerLimits limits);

// What such a profiler needs on the device, apart from the model and its FoldInSource.
MemoryTable profiler_memory(const ProfilerShape& shape);

}  // namespace bouquet::cuda
