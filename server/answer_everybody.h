// Recommendations for every customer of a model, as a file.
//
// Nobody is left out of what a model alone knows, whoever was erased since: that is in a store.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/recommender.h"
#include "server/served_model.h"

namespace bouquet::server {

// Writes one line of JSON per customer of the model, in the model's order, to `out` ("-": stdout), those left out of whom nothing is left
// in the model and the store that `settings` knows. `request` is that of each, without a subject. A file appears whole or not at all.
// Errors: ResourceExhausted (not writable, disk full), those of Recommender.
absl::Status answer_everybody(const ServedModel& served, const AnswerSettings& settings, const v1::RecommendRequest& request,
                              const std::string& out);

}  // namespace bouquet::server
