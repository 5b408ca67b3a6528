// How much the attributes of a training set say, found in a short fit without them, and what that asks of the fits with them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "training/attribute_relevance.h"
#include "training/fit_checkpoints.h"
#include "training/interactions_builder.h"
#include "training/progress.h"

namespace bouquet::training {

struct SetRelevance {
  std::vector<AttributeRelevance> customers, items;  // empty of a side without attributes
};

// Fits `set` without its attributes for as many epochs as the warm-up has, and asks what they say of its vectors. The attributes of `set`
// are gone meanwhile, and there again afterwards. Errors: those of the backend.
absl::StatusOr<SetRelevance> find_relevance(Backend& backend, const TrainingOptions& options, int threads, Progress& progress,
                                            TrainingSet& set, const FitCheckpoints* checkpoints = nullptr);

// The ridges of set.interactions, which are to hold attributes down to what they say.
void set_ridges(const SetRelevance& relevance, const TrainingOptions& options, TrainingSet& set);

// For people: those that say most, and how many say nothing.
std::string relevance_text(const SetRelevance& relevance);

}  // namespace bouquet::training
