// Items that a model gets after its training: the artifact with more rows.
#pragma once

#include <string>
#include <vector>

#include "engine/artifact.h"

namespace bouquet {

struct AddedItems {
  std::vector<std::string> ids;  // different ones, none of the model's
  std::vector<float> vectors;    // [ids, d]
  // [ids] what leads to each from the items of the training; or empty: nothing leads to any.
  std::vector<std::vector<ContentLink>> links = {};
  AttributeTable attributes = {};  // [ids] as the training encodes them; no part of the artifact
};

// `artifact` with the items behind its own: untitled products that nobody has taken and that miss every column. Histories, customers, the
// Gram matrix, the counts of the training and the table of the items' attributes stay as they are. The content path leads to them as it
// does to the training's own items without events, and from none of them. Takes time and memory in proportion to all items and links.
Artifact with_items(const Artifact& artifact, const AddedItems& added);

}  // namespace bouquet
