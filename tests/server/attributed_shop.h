// A random shop whose model takes attributes of customers.
#pragma once

#include "engine/artifact.h"

namespace bouquet::server {

inline constexpr int32_t kAttributedDimension = 8;

// 60 items and three customers: of the first everything is known (age 50, country DE), of the others nothing. Columns: age | DE, rare,
// missing country | missing age.
Artifact attributed_shop();

}  // namespace bouquet::server
