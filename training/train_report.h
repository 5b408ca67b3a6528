// What `bouquet train` says on stdout, for people and for programs.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/backend.h"
#include "training/dataset.h"
#include "training/train_plan.h"
#include "training/training_run.h"

namespace bouquet::training {

// What --dry-run answers: the parts, and what a fit on everything would be made of. Errors: those of the split and of the set.
absl::Status print_dry_run(const TrainPlan& plan, const Dataset& dataset, const Backend& backend, bool json);

// After a training; `version` is empty where nothing was published.
void print_outcome_json(const TrainingOutcome& outcome, const Dataset& dataset, const std::string& version, double seconds);
void print_outcome(const TrainingOutcome& outcome, const std::string& models, const std::string& version, double seconds);

}  // namespace bouquet::training
