// Finds for every item without events the items of the training that its attributes are most like (engine/content_links.h).
#pragma once

#include <cstdint>

#include "engine/attribute_rows.h"
#include "engine/content_links.h"
#include "engine/interactions.h"
#include "engine/model.h"

namespace bouquet::training {

inline constexpr double kContentWeight = 0.75;              // chosen on warm items of citeulike_t hidden for it (docs/evaluation.md)
inline constexpr int64_t kMostLinkWork = int64_t{1} << 39;  // multiply-adds; beyond, no links are made: minutes would become hours

// How many multiply-adds the links would take.
int64_t content_link_work(const AttributeRows& attributes, const SparseRows& by_item);

// `attributes` and `by_item` have the model's items as rows. Empty where no item is without events or no link is found, where there are no
// attributes, or `weight` is 0. The same for any number of threads.
ContentLinks link_content(const AttributeRows& attributes, const SparseRows& by_item, const Model& model, double weight, int32_t threads);

}  // namespace bouquet::training
