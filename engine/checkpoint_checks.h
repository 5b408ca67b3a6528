// What a training session can go on from. Every backend asks this first.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/interactions.h"
#include "engine/model.h"
#include "engine/training_options.h"

namespace bouquet {

// Errors: InvalidArgument (an epoch below 1, a model that is not of this shape or that validate() refuses), FailedPrecondition
// (`epochs_run` of the session are not 0).
absl::Status check_checkpoint(const Model& model, int32_t epoch, const Interactions& interactions, const TrainingOptions& options,
                              int32_t epochs_run);

}  // namespace bouquet
