// Customers of whom no event is known: what a model offers them by their attributes alone. Their profile is the half-step with an empty
// history, as a server's that is asked with attributes and knows nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "training/attribute_files.h"
#include "training/bootstrap.h"
#include "training/dataset.h"
#include "training/evaluator.h"
#include "training/test_set.h"

namespace bouquet::training {

// Points into itself, so it stays where it was made.
struct ColdCustomers {
  TestSet tests;                 // rows are those of the profiles
  std::vector<int64_t> offsets;  // of their empty histories
  std::vector<float> profiles;   // [rows, d]
  Knowledge known;
};

// The customers of `test` whom `rows` does not know and of whom `attributes` has a row; the report of `test` gets their bad rows.
// Popularity, repeats and what may be offered are those of `known`; so are its pointers. No such customer: an empty test set. Errors:
// FailedPrecondition (the model has no customer attributes), those of encode_attributes and of the backend.
absl::StatusOr<std::unique_ptr<ColdCustomers>> cold_customers(Dataset& test, const RowMaps& rows, const AttributeSource& attributes,
                                                              const Artifact& artifact, const LoadedModel& model, const Knowledge& known);

// The answers of the model and of most-popular, in this order: with nothing known of a customer the other baselines are the second.
absl::StatusOr<std::vector<Subject>> cold_subjects(const LoadedModel& model, const ColdCustomers& cold, const AnswerOptions& options);

}  // namespace bouquet::training
