#include "engine/calibration.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_map(const CalibrationMap& map, size_t at) {
  const auto wrong = [at](const char* what) { return bad_input(absl::StrCat("calibration map ", at, ": ", what)); };
  if (map.scores.empty() || map.scores.size() != map.probabilities.size()) return wrong("has no knots, or not two numbers for each");
  for (size_t k = 0; k < map.scores.size(); ++k) {
    if (!std::isfinite(map.scores[k]) || (k > 0 && !(map.scores[k] > map.scores[k - 1]))) return wrong("its scores do not rise");
    if (!(map.probabilities[k] > 0 && map.probabilities[k] < 1)) return wrong("holds a probability outside 0 to 1");
    if (k > 0 && map.probabilities[k] < map.probabilities[k - 1]) return wrong("its probabilities fall");
  }
  if (map.rows < 0 || map.taken < 0 || map.taken > map.rows) return wrong("counts more rows taken than offered");
  for (const double x : {map.log_loss, map.base_log_loss, map.skill_low, map.skill_high, map.slope})
    if (!std::isfinite(x)) return wrong("has a figure that is not finite");
  return absl::OkStatus();
}

}  // namespace

double CalibrationMap::probability(float score) const {
  const double x = double{score};
  const auto above = std::upper_bound(scores.begin(), scores.end(), x);
  if (above == scores.begin()) return probabilities.front();
  if (above == scores.end()) return probabilities.back();
  const auto k = static_cast<size_t>(above - scores.begin());
  const double share = (x - scores[k - 1]) / (scores[k] - scores[k - 1]);
  return probabilities[k - 1] + share * (probabilities[k] - probabilities[k - 1]);
}

const CalibrationMap* Calibration::find(AnswerSource source, ItemKind kind) const {
  for (const CalibrationMap& map : maps)
    if (map.source == source && map.kind == kind) return &map;
  return nullptr;
}

absl::Status validate(const Calibration& calibration) {
  if (!(calibration.horizon_days >= 0) || !std::isfinite(calibration.horizon_days) || calibration.length < 0)
    return bad_input("the calibration's horizon or length is not a number of 0 or more");
  for (size_t m = 0; m < calibration.maps.size(); ++m) {
    const CalibrationMap& map = calibration.maps[m];
    if (absl::Status s = check_map(map, m); !s.ok()) return s;
    if (calibration.find(map.source, map.kind) != &map)
      return bad_input(absl::StrCat("calibration map ", m, ": there is another of its source and kind"));
  }
  return absl::OkStatus();
}

}  // namespace bouquet
