// iALS on the device: exact half-steps, items first.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cuda/device.h"
#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// `interactions` are copied to the device. Errors: InvalidArgument, ResourceExhausted (with the memory table, before anything is
// allocated, where the device has too little), Internal.
absl::StatusOr<std::unique_ptr<TrainingSession>> start_cuda_training(const Interactions& interactions, const TrainingOptions& options,
                                                                     std::shared_ptr<const Device> device);

// What such a training will need on a device of that compute capability (10 * major + minor). Needs no device.
MemoryTable training_memory(const Interactions& interactions, const TrainingOptions& options, int capability);

}  // namespace bouquet::cuda
