// Fits and judges the map from scores to probabilities (engine/calibration.h) on rows that a model offered to customers of the judge part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "training/bootstrap.h"
#include "training/test_set.h"

namespace bouquet::training {

// One row that was offered, and what became of it.
struct OfferedRow {
  int32_t customer = 0;  // whose: rows of one customer are judged together
  float score = 0;
  bool taken = false;
};

inline constexpr int64_t kLeastTaken = 50;  // in either half, without which there is no map

// An isotonic regression on one half of the customers, drawn by seed, its figures of the other half. `rows` are of one source and kind.
// Without knots: fewer than kLeastTaken rows were taken in one of the halves, or all were.
CalibrationMap fit_calibration(const std::vector<OfferedRow>& rows, const BootstrapOptions& bootstrap);

// Rows of equal predicted probability, as the other half of the customers took them.
struct ReliabilityBin {
  int64_t rows = 0;
  double predicted = 0;  // mean probability
  double taken = 0;      // share
};
// At most `count` bins of about the same number of rows, by rising probability; of the customers that fit_calibration() judged.
std::vector<ReliabilityBin> reliability(const CalibrationMap& map, const std::vector<OfferedRow>& rows, uint64_t seed, int32_t count);

}  // namespace bouquet::training
