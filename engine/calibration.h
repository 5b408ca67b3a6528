// From scores to probabilities: what was observed of the rows that a model offered on events it had not seen (docs/evaluation.md).
//
// A probability is that the customer has a consuming event with the item within the horizon, given that it is among the rows offered.
// There are no impressions in the data: whether the row was ever shown does not enter.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/answer_mix.h"
#include "engine/catalog.h"

namespace bouquet {

// Of the rows of one source and kind: a monotone map through knots, and what it was worth on customers that it was not fitted on.
struct CalibrationMap {
  AnswerSource source = AnswerSource::kModel;
  ItemKind kind = ItemKind::kProduct;
  std::vector<double> scores;         // of the knots, strictly rising
  std::vector<double> probabilities;  // of the knots, in (0, 1), never falling

  // The report, of the customers that were kept apart.
  int64_t rows = 0, taken = 0;           // offered, and of these consumed
  double log_loss = 0;                   // mean over rows, in nats
  double base_log_loss = 0;              // of the constant probability: the share taken of the rows that the map was fitted on
  double skill_low = 0, skill_high = 0;  // 95 % interval, over customers, of base_log_loss - log_loss
  double slope = 0;                      // of the outcomes on log(p / (1 - p)) by logistic regression; 1: right, below 1: too extreme

  double probability(float score) const;
};

struct Calibration {
  double horizon_days = 0;  // 0: the customer's next event or basket (last-event, last-basket) or no time at all (random)
  int32_t length = 0;       // rows offered to each customer
  std::vector<CalibrationMap> maps;

  // nullptr: too few rows of that sort were offered or taken to say anything.
  const CalibrationMap* find(AnswerSource source, ItemKind kind) const;
};

// Finite numbers in their ranges, knots in order, one map of a source and kind. Errors: DataLoss.
absl::Status validate(const Calibration& calibration);

}  // namespace bouquet
