// The attributes of a training set: fitted to the part it was made of, in its numbering.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/dataset.h"
#include "training/interactions_builder.h"

namespace bouquet::training {

// Whether any side of the data set has attributes.
bool has_attributes(const Dataset& dataset);

// Fills set.interactions' attributes and the set's schemas. Where the set has not all of the data set's customers or items, the files are
// read again and the schema is fitted to those it has: nothing that comes later leaks into it. Errors: as read_attributes.
absl::Status add_attributes(const Dataset& dataset, TrainingSet& set);

// What a fit on the events of `fitted` (empty: all) trains on, with the data set's attributes or without. Errors: as build_training_set and
// add_attributes.
absl::StatusOr<TrainingSet> training_set(const Dataset& dataset, const std::vector<uint8_t>& fitted, bool attributes);

}  // namespace bouquet::training
