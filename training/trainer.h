// Runs epochs of a backend's training: a fixed number of them, or until a figure on the select part stops rising.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "training/progress.h"

namespace bouquet::training {

struct EpochReport {
  int32_t epoch = 0;
  double objective = 0;
  double select_metric = 0;  // 0 where nothing is selected on
  double seconds = 0;        // of the solves
};

struct Fit {
  Model model;         // after `epochs`
  int32_t epochs = 0;  // the chosen number: the one with the best figure, or all
  std::vector<EpochReport> reports;
};

struct FitPlan {
  std::string stage;       // for the progress
  int32_t max_epochs = 8;  // at least 1
  int32_t min_epochs = 1;  // fewer are never chosen; at most max_epochs
  int32_t patience = 2;    // epochs without a new best figure after which to stop
  std::string metric;      // name of the figure, for the progress
};

// The figure to raise, of the model after an epoch.
using SelectFigure = std::function<absl::StatusOr<double>(const LoadedModel&)>;

// Trains on `interactions`; after each epoch asks `select`. Returns the model of the first epoch from min_epochs on that
// reached the best figure.
// Without `select` runs max_epochs. Errors: those of the backend and of `select`.
absl::StatusOr<Fit> fit_model(Backend& backend, const Interactions& interactions, const TrainingOptions& options, const FitPlan& plan,
                              const SelectFigure& select, Progress& progress);

}  // namespace bouquet::training
