// A fit: epochs of a backend's training, as they are planned and as they came out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/backend.h"

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
  std::string stage;            // for the progress
  int32_t max_epochs = 8;       // at least 1
  int32_t min_epochs = 1;       // fewer are never chosen; at most max_epochs
  int32_t patience = 2;         // epochs without a new best figure after which to stop
  std::string metric;           // name of the figure, for the progress
  JudgingShape judging = {};    // what the figure of an epoch makes of its model, beside the training
  std::string selects_on = {};  // a fingerprint of what decides the figure beside the model
};

}  // namespace bouquet::training
