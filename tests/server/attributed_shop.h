// A random shop whose model takes attributes of customers.
#pragma once

#include "engine/artifact.h"

namespace bouquet::server {

inline constexpr int32_t kAttributedDimension = 8;

// 60 items and three customers: of the first everything is known (age 50, country DE), of the others nothing. Columns: age | missing age |
// DE, rare, missing country.
Artifact attributed_shop();

// The same attributes and a prior for any shop: of the first customer everything is known, of the others nothing.
void add_customer_attributes(Artifact& shop);

}  // namespace bouquet::server
