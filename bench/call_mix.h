// Loads of the calls that a shop makes, in any mixture, over the customers and items of a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/load_generator.h"
#include "engine/artifact.h"
#include "server/recommender.h"

namespace bouquet::bench {

enum class CallKind { kRecommend, kExplain, kSimilar, kProfile, kRecord };

struct MixPart {
  CallKind kind = CallKind::kRecommend;
  double share = 1;
};

// As "recommend=80,record=15,profile=5": shares in proportion to each other. Errors: InvalidArgument (an unknown or repeated kind, a share
// that is not positive).
absl::StatusOr<std::vector<MixPart>> parse_mix(const std::string& text);

// Whether the mixture changes what the server knows of customers.
bool writes(const std::vector<MixPart>& mix);

// Recommend, the same with its largest contributions (explain), GetProfile: one of each customer. SimilarItems: of items evenly apart.
// RecordEvents: a purchase of each customer in turn, so that nearly every read finds a profile that has to be solved again. `k` rows an
// answer.
LoadKind calls_of(CallKind kind, const Artifact& artifact, int32_t k);

// The mixture with what must come back, by the code that answers offline: everything where nobody writes, else SimilarItems alone.
// Errors: those of the recommender.
absl::StatusOr<std::vector<LoadKind>> calls_of(const std::vector<MixPart>& mix, const Artifact& artifact, int32_t k,
                                               server::Recommender& recommender);

}  // namespace bouquet::bench
