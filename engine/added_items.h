// Items that a model gets after its training: the artifact with more rows.
#pragma once

#include <string>
#include <vector>

#include "engine/artifact.h"

namespace bouquet {

struct AddedItems {
  std::vector<std::string> ids;  // different ones, none of the model's
  std::vector<float> vectors;    // [ids, d]
};

// `artifact` with the items behind its own: untitled products that nobody has taken and that miss every column. Histories, customers, the
// Gram matrix and the counts of the training stay as they are, and so do the table of the items' attributes and the content path, which are
// of the training: no link leads to or from an item that was added. Takes time and memory in proportion to all items.
Artifact with_items(const Artifact& artifact, const AddedItems& added);

}  // namespace bouquet
