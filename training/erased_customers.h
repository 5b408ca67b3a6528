// Customers whom a store's server has erased: what they did up to then is not learned from, whichever file has it.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "training/dataset.h"
#include "training/event_source.h"

namespace bouquet::training {

// Leaves out of `dataset`, as it is after reading events, every event of an erased customer that happened up to the erasure, and the
// customers who have none left. Counts them in the report.
void leave_out_erased(const EventSource& store, Dataset& dataset);

// Empties the rows of the customers who were erased after the arrival `since`, or of whose person somebody was taken out, who may have been
// erased since, for a model that is about to be published (engine's empty_customer_rows). Returns how many there were. What items have
// learned from them stays until the next training. Errors: those of the store.
absl::StatusOr<int64_t> empty_rows_erased_since(const EventSource& store, uint64_t since, Artifact& artifact);

}  // namespace bouquet::training
