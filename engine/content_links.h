// What leads from the items of a history to items that nobody has taken yet: how alike their attributes are. A direct path beside the item
// prior (docs/algorithms/attributes.md, "Content path").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "engine/model.h"
#include "engine/shared_array.h"

namespace bouquet {

struct ContentLinks {
  SharedArray<int64_t> offsets;  // [item_count + 1], or empty: there is no content path
  SharedArray<int32_t> items;    // of each item the ones without events that it leads to, ascending
  SharedArray<float> likeness;   // [entries] cosine of the attribute rows, more than 0
  SharedArray<float> spread;     // [d, d] weight² times the covariance of the vectors of all items that are led to
  double weight = 0;             // of the path; 0: not known, and items that come later get no links

  bool empty() const { return offsets.empty(); }
  // How many distinct items are led to.
  int32_t linked_count(int32_t item_count) const;
};

// What leads to one item.
struct ContentLink {
  int32_t item = 0;  // with events in the training
  float likeness = 0;
};

// `links` with those to more items: `found[k]` are of `items[k]`, ascending rows of `model` behind all that `links` leads to. The weight
// stays, the spread is that of all items that are led to then; without any there is no content path. Takes time in proportion to all links.
ContentLinks with_links(const ContentLinks& links, const Model& model, std::span<const int32_t> items,
                        std::span<const std::vector<ContentLink>> found);

// Whether the shapes fit, the items ascend and are in range, and numbers are finite and likenesses more than 0, the
// weight not below 0. Errors: DataLoss.
absl::Status validate(const ContentLinks& links, int64_t item_count, int32_t dimension);

}  // namespace bouquet
