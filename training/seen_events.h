// A published model's side of an evaluation: its rows, and what was seen of its customers or of others.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "training/dataset.h"
#include "training/test_set.h"

namespace bouquet::training {

// Which row each id of the data set has among `customers` (kNone: none) and among the model's items.
RowMaps rows_in(const Dataset& dataset, const IdTable& customers, const IdTable& items);

// Customers known by the events of files rather than by training: histories merged by the model's rules, profiles folded in.
struct SeenCustomers {
  Histories histories;          // rows in the data set's order, of customers with a known item
  std::vector<int32_t> row_of;  // [customers of the data set] or kNone
  std::vector<float> profiles;  // [rows, d]
};

// Folds in every customer of `seen` exactly as serving does. Events on items that the model does not know are left out.
absl::StatusOr<SeenCustomers> fold_in_seen(const Dataset& seen, const Artifact& artifact, const LoadedModel& model);

}  // namespace bouquet::training
