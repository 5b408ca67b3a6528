// Recommendations for every customer of a model, as a file.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/served_model.h"

namespace bouquet::server {

// Writes one line of JSON per customer of the model, in the model's order, to `out` ("-": stdout). `settings` is the request of each,
// without a subject. A file appears whole or not at all. Errors: ResourceExhausted (not writable, disk full), those of Recommender.
absl::Status answer_everybody(const ServedModel& served, const v1::RecommendRequest& settings, const std::string& out);

}  // namespace bouquet::server
