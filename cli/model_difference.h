// What changed from one version of a model to another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/artifact.h"

namespace bouquet::cli {

struct ChangedSetting {
  std::string name;           // as in manifest.json: "recipe/dimension"
  std::string before, after;  // JSON; "" where there is none
};

// Two sets of ids.
struct Overlap {
  int64_t both = 0, only_first = 0, only_second = 0;
};

// How far the items' nearest neighbours (by cosine) stay the same. It needs no common basis: two trainings may turn the space.
struct Neighbours {
  int32_t per_item = 10;
  int64_t items_compared = 0;  // shared items, evenly sampled
  int64_t items_changed = 0;   // of those: with at least one other neighbour
  double kept = 0;             // share of neighbours that stayed, 0 to 1
};

struct ModelDifference {
  std::vector<ChangedSetting> settings;
  Overlap customers;
  Overlap items;
  Neighbours neighbours;
};

ModelDifference difference(const Artifact& first, const Artifact& second);

}  // namespace bouquet::cli
