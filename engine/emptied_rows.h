// Takes what an artifact has of single customers out of it.
#pragma once

#include <span>

#include "engine/artifact.h"

namespace bouquet {

// `rows`: distinct customers. Their profiles are zero afterwards, their histories and attributes empty, their ids replaced by random ones
// of 32 characters; all other rows stay where they are. What all customers together did (item vectors, popularity, counted baskets) stays.
void empty_customer_rows(std::span<const CustomerIndex> rows, Artifact& artifact);

}  // namespace bouquet
