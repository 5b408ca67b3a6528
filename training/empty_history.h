// How much of alpha0 counts for customers without events (ModelConstants::empty_history_share): chosen by what the select part says of
// those who had none before it.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "training/answers.h"
#include "training/dataset.h"
#include "training/interactions_builder.h"
#include "training/metrics.h"
#include "training/test_set.h"

namespace bouquet::training {

// Where there are too few of them to choose by: the prior mean ranks (docs/decisions/0014-nothing-seen-is-not-nothing-taken.md).
inline constexpr double kUnchosenEmptyShare = 0;
inline constexpr int32_t kLeastEmptyHistories = 100;

struct EmptyHistoryChoice {
  double share = 0;
  int32_t customers = 0;
  double figure = 0;    // mean of the metric at 20 rows with this share ...
  double with_all = 0;  // ... with all of alpha0 ...
  double popular = 0;   // ... and of what is popular, which they are offered without attributes
};

// Of `model`, fitted on `set` and loaded as `loaded`, whose customers have a prior. `tests`: everybody of the select part; those without a
// row of their own and with one in the attribute files count. Nothing: fewer than kLeastEmptyHistories. Errors: those of encode_attributes
// and of the backend.
absl::StatusOr<std::optional<EmptyHistoryChoice>> choose_empty_share(const Dataset& dataset, const TrainingSet& set, const TestSet& tests,
                                                                     const Knowledge& known, const Model& model, const LoadedModel& loaded,
                                                                     ListMetric metric, int32_t workers);

}  // namespace bouquet::training
