// What a fit leaves behind to say how sure scores are (engine/uncertainty.h), and the noise variance that scales it.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/interactions.h"
#include "engine/uncertainty.h"
#include "training/dataset.h"
#include "training/interactions_builder.h"
#include "training/test_set.h"

namespace bouquet::training {

// Without a noise variance. `model` was fitted on `by_item`; empty where no eigenbasis was found.
Uncertainty uncertainty_of(const SparseRows& by_item, const Model& model);

// Pairs that customers of a fit made later, new to them: rows and columns of the fit.
SparseRows later_pairs(const Dataset& dataset, std::span<const uint8_t> in_part, const TrainingSet& set, const RowMaps& rows);

inline constexpr int64_t kNoiseCustomers = 2000;  // at most so many are looked at, drawn by seed
inline constexpr int64_t kLeastNoisePairs = 100;

// sigma²: under which the squared errors of the scores of `later` pairs are on average what the model expects, 1/c for the observation and
// the variance of the score (engine/score_variance.h) together. 0: fewer than kLeastNoisePairs. `loaded` is `model`, fitted on `fitted`.
// Errors: those of the Profiler.
absl::StatusOr<double> fit_noise_variance(const LoadedModel& loaded, const Model& model, const Uncertainty& uncertainty,
                                          const Interactions& fitted, const SparseRows& later, uint64_t seed);

}  // namespace bouquet::training
