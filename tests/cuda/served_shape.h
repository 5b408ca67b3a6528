// Models of a shape, for what depends on nothing else.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/serving_memory.h"
#include "engine/model.h"

namespace bouquet::cuda {

struct Prior {
  int32_t columns = 0;
  int32_t dense = 0;
};

inline Model model_of(const ServedModel& shape, Prior prior_shape = {}) {
  Model model;
  model.dimension = shape.dimension;
  const auto d = static_cast<size_t>(shape.dimension);
  model.profiles = std::vector<float>(static_cast<size_t>(shape.customers) * d, 0.5f);
  model.item_vectors = std::vector<float>(static_cast<size_t>(shape.items) * d, 0.25f);
  model.item_gram = std::vector<float>(d * d, 0.0625f * static_cast<float>(shape.items));
  if (prior_shape.columns > 0)
    for (AttributePrior* prior : {&model.customer_prior, &model.item_prior})
      *prior = {prior_shape.dense, std::vector<float>(d * (static_cast<size_t>(prior_shape.columns) + 1), 0.01f)};
  model.constants = {0.1, 0.1, 0.5, shape.items, shape.customers};
  return model;
}

}  // namespace bouquet::cuda
