// An evaluation for people and for programs (cli.md: the JSON of `evaluate`).
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "training/evaluator.h"

namespace bouquet::training {

// {"recall@20": {"value": .., "low": .., "high": ..}, ...}
nlohmann::ordered_json metrics_json(const MetricTable& table);

// {"metrics", "customers", "protocol", "baselines", "differences", "with_unknown", "segments"}; the caller adds to "protocol".
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);

// What the maps from scores to probabilities are worth, a line for each; empty where there is none.
std::string calibration_text(const Calibration& calibration);

// The model beside the baselines, one line per metric at `length` that people read first, with intervals and with what the paired
// differences say.
std::string evaluation_table(const Evaluation& evaluation, int32_t length);

}  // namespace bouquet::training
