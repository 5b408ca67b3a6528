// Puts what a training made and what serving needs beside it into one artifact.
#pragma once

#include <string>

#include "engine/artifact.h"
#include "training/dataset.h"
#include "training/interactions_builder.h"

namespace bouquet::training {

// What the artifact says about itself; the caller fills `recipe` and `metrics` in it.
struct AssemblyParts {
  Recipe recipe;
  std::vector<MetricTable> metrics;
  RepurchaseSettings repurchase;
  ContentLinks content_links;
  Uncertainty uncertainty = {};
  Calibration calibration = {};
};

// `model` was trained on `set`, which was built of all of `dataset`: ids, catalog rows and titles are taken over in the order of the
// set's rows; histories are the set's pairs; co-purchases are counted over the whole data set.
Artifact assemble_artifact(const Dataset& dataset, TrainingSet set, Model model, AssemblyParts parts);

}  // namespace bouquet::training
