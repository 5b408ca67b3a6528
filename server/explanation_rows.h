// Explanations (engine/explanation.h) as the API writes them: contributions with names for people, and reasons in words.
#pragma once

#include <cstdint>
#include <span>

#include "bouquet/v1/recommendations.pb.h"
#include "engine/content_blend.h"
#include "engine/explanation.h"
#include "server/served_model.h"

namespace bouquet::server {

inline constexpr size_t kTopContributions = 5;

// Adds the contributions and reasons of one explanation to `row`. `history` is the one that was explained; `how` is TOP or FULL.
void write_explanation(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history, v1::Explain how,
                       v1::RecommendedItem* row);

// Adds contributions and reasons to `rows`, which have ids and scores of source MODEL. `blend` is as it was left by the blend() of
// `customer`'s profile and history; `how` is TOP or FULL.
void explain_rows(const ServedModel& served, const SolvedCustomer& customer, const ContentBlend& blend, v1::Explain how,
                  std::span<v1::RecommendedItem* const> rows);

// Adds the contribution and the reason of a row of source REPURCHASE, whose score is all of what the customer consumed of the item.
void explain_repurchase(const ServedModel& served, v1::RecommendedItem* row);

}  // namespace bouquet::server
