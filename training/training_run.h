// The whole way from events to a model that may be published: choose on the select part, judge once, refit on everything
// (docs/evaluation.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "training/answers.h"
#include "training/calibration.h"
#include "training/content_links.h"
#include "training/dataset.h"
#include "training/evaluator.h"
#include "training/progress.h"
#include "training/repurchase.h"
#include "training/set_relevance.h"
#include "training/split.h"
#include "training/trainer.h"

namespace bouquet::training {

// What the select part chooses by: a metric at 20 rows, over the items that are new to the customer.
enum class SelectMetric { kNdcg, kRecall };

// Whether attributes that the data set has are used; kAuto: if the select part says that they help (kOn where there is none).
enum class UseAttributes { kAuto, kOn, kOff };

struct TrainingRequest {
  TrainingOptions options;
  bool balance_unobserved = false;  // take alpha0 from the first fit's data (unobserved_weight.h) instead of `options`
  // Take lambda_A, lambda_B from the select part, among kAttributeRegularizations, instead of `options`.
  bool choose_customer_attribute_regularization = false;
  bool choose_item_attribute_regularization = false;
  Validation validation;
  SelectMetric select_metric = SelectMetric::kNdcg;
  UseAttributes attributes = UseAttributes::kAuto;
  bool attribute_relevance = true;            // hold attributes down to what they say (set_relevance.h)
  double content_weight = kContentWeight;     // of the content path to items without events; 0: none
  std::optional<double> empty_history_share;  // of alpha0, for customers without events; none: the select part chooses
  int32_t epochs = 0;                         // at most so many with a validation, exactly so many without; 0: kMaxEpochs, kFixedEpochs
  int32_t patience = 2;
  std::vector<int32_t> lengths{10, 20, 100};  // of the answers that are judged, ascending
  int32_t workers = 1;                        // threads of the evaluator
  int32_t resamples = 2000;
};

// How the model of an epoch answers the select part.
AnswerOptions selecting_answers(const TrainingRequest& request, Repeats repeats);

inline constexpr int32_t kMaxCalibrationCustomers = 20'000;
inline constexpr int32_t kReliabilityBins = 10;
inline constexpr std::array<double, 4> kAttributeRegularizations{1, 100, 10'000, 1'000'000};
inline constexpr int32_t kMaxEpochs = 16;
inline constexpr int32_t kFixedEpochs = 8;
// Of the repurchase head where nothing was held back to choose them on.
inline constexpr double kUnchosenHalfLife = 90, kUnchosenShare = 0.5;

struct TrainingOutcome {
  Artifact artifact;                // not published yet
  SetRelevance relevance;           // of the first fit with attributes; empty where none was made or asked for
  std::vector<EpochReport> epochs;  // of the fit that chose; without a validation of the only one
  std::optional<RepurchaseChoice> repurchase;
  std::vector<std::vector<ReliabilityBin>> reliability;  // of each map of artifact.calibration
  std::vector<Evaluation> evaluations;                   // of the fit before the refit, on the judge part: exclude, then include
};

// Cuts `dataset` by the request's validation and
//   1. fits on the fit part, stops where the select metric is best, chooses the attribute regularizations (where asked for), the
//      repurchase head and the share of alpha0 that counts for customers without events, and fits the noise variance on the select part;
//      with UseAttributes::kAuto it fits with and without attributes and keeps what reaches the better figure over all customers and
//      items, those without events by their attributes or what is popular;
//   2. fits on fit and select with the chosen number of epochs, links items without events to the others by their attributes, judges
//      that on the judge part, and fits there what probabilities its scores stand for;
//   3. fits on everything, again with that number: this model is the artifact's.
// Without a validation only the last fit is made, and the repurchase head has kUnchosenHalfLife (none without times) and
// kUnchosenShare. Sets dataset.rules.repurchase_half_life_days. Errors: of the split, the backend, and of parts on which nothing can be
// chosen or judged.
// With `checkpoints` each fit goes on from what is kept of it (fit_checkpoints.h); what is cheap beside the fits is done again.
absl::StatusOr<TrainingOutcome> run_training(Dataset& dataset, const TrainingRequest& request, Backend& backend, Progress& progress,
                                             const FitCheckpoints* checkpoints = nullptr);

}  // namespace bouquet::training
