// Why two items stand together, in words: what is known of both. Facts to show beside a score; the cosine of two item vectors is not made
// of them.
#pragma once

#include <cstdint>

#include "bouquet/v1/recommendations.pb.h"
#include "server/served_model.h"

namespace bouquet::server {

// "with Bread, 1 kg in 37 of 120 baskets": `common` of the baskets of the training that hold `with` also hold the row's item.
void add_basket_reason(const ServedModel& served, ItemIndex with, int32_t common, v1::RecommendedItem* row);

// At most three reasons, in this order: the category that both have; the texts, flags and sets of texts that both have, in the order of
// their names ("both brand = Acme", "both tags = red, sale", "both organic"); common baskets, from kMinCommonBaskets on. As the catalog has
// it now. Numbers, times and what says when an item may be offered are not compared.
void add_pair_reasons(const ServedModel& served, ItemIndex asked, ItemIndex item, v1::RecommendedItem* row);

}  // namespace bouquet::server
