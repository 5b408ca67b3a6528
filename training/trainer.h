// Runs epochs of a backend's training: a fixed number of them, or until a figure on the select part stops rising.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "training/fit.h"
#include "training/fit_checkpoints.h"
#include "training/progress.h"

namespace bouquet::training {

// The figure to raise, of the model after an epoch.
using SelectFigure = std::function<absl::StatusOr<double>(const LoadedModel&)>;

// Trains on `interactions`; after each epoch asks `select`. Returns the model of the first epoch from min_epochs on that
// reached the best figure.
// Without `select` runs max_epochs. Errors: those of the backend and of `select`; ResourceExhausted before the first epoch, where there is
// no room beside the training for what judges its epochs.
// With `checkpoints` goes on from what is kept of this very fit, and keeps it after each epoch: the result is the same. Where nothing can
// be kept, it says so and goes on.
absl::StatusOr<Fit> fit_model(Backend& backend, const Interactions& interactions, const TrainingOptions& options, const FitPlan& plan,
                              const SelectFigure& select, Progress& progress, const FitCheckpoints* checkpoints = nullptr);

}  // namespace bouquet::training
