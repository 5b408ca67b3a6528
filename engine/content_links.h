// What leads from the items of a history to items that nobody has taken yet: how alike their attributes are. A direct path beside the item
// prior (docs/algorithms/attributes.md, "Content path").
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/shared_array.h"

namespace bouquet {

struct ContentLinks {
  SharedArray<int64_t> offsets;  // [item_count + 1], or empty: there is no content path
  SharedArray<int32_t> items;    // of each item the ones without events that it leads to, ascending
  SharedArray<float> likeness;   // [entries] cosine of the attribute rows, more than 0
  SharedArray<float> spread;     // [d, d] weight² times the covariance of the vectors of all items that are led to

  bool empty() const { return offsets.empty(); }
  // How many distinct items are led to.
  int32_t linked_count(int32_t item_count) const;
};

// Whether the shapes fit, the items ascend and are in range, and numbers are finite and likenesses more than 0. Errors: DataLoss.
absl::Status validate(const ContentLinks& links, int64_t item_count, int32_t dimension);

}  // namespace bouquet
