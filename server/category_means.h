// The catalog's categories as directions of the vector space: the mean vector of each one's items, and how far the mean customer goes that
// way. What GetProfile calls interests (docs/algorithms/explanations.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/artifact.h"
#include "engine/views.h"

namespace bouquet::server {

struct CategoryMeans {
  std::vector<std::string> names;    // ascending by bytes; items without a category are in none
  std::vector<float> vectors;        // [names, d]
  std::vector<double> averages;      // [names] the mean over all stored profiles of their product with the vector
  std::vector<int32_t> item_counts;  // [names]
  std::vector<int32_t> category_of;  // [item_count] kNone: without one

  MatrixView<const float> matrix(int32_t d) const { return {vectors.data(), static_cast<int64_t>(names.size()), d}; }
};

// One pass over the item vectors and one over the profiles, in double.
CategoryMeans category_means(const Artifact& artifact);

}  // namespace bouquet::server
