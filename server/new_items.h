// Items that calls speak of and a model was not trained with: where its attributes place them.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "engine/added_items.h"
#include "server/catalog_store.h"
#include "server/served_model.h"

namespace bouquet::server {

// Whether the model learned what attributes say of an item, so that it can place one that nobody has taken.
bool places_items(const ServedModel& model);

// Whether what is said of an item has to do with its place.
bool concerns_place(const ServedModel& model, const v1::Item& said);

// The vectors of the items of `entries`, which the model does not know, and what the content path leads to them with: the half-step with an
// empty history and the items of the training that their attributes are most like, the same as training makes for an item without events.
// Attributes that the model was not trained with do not count, and neither does a value of another type. Links of `before`, what was placed
// last for the same model, are kept where the attributes are; the others take at most kMostLinkSteps in one call, and items for which they
// do not suffice wait for the next one with their vectors alone. Errors: those of the seam.
absl::StatusOr<AddedItems> placed(const ServedModel& model, std::span<const CatalogEntry> entries, const AddedItems& before);

inline constexpr int64_t kMostLinkSteps = int64_t{1} << 31;  // items and entries of columns that are looked at

}  // namespace bouquet::server
