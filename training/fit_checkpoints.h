// What the fits of a training have come to, kept after every epoch, so that the same training goes on from there after it was killed, with
// the same result. A file for each fit in a folder of one's own, named by a fingerprint of all that decides the fit's bits: the pairs,
// attributes, options, the part it selects on and the backend. What was kept of other data or options is never taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/file_access.h"
#include "engine/interactions.h"
#include "engine/training_options.h"
#include "training/fit.h"

namespace bouquet::training {

// Of 64 characters.
std::string fingerprint_of(const Interactions& interactions, const TrainingOptions& options, const FitPlan& plan, std::string_view backend);

struct FitState {
  Fit fit;     // the best epoch so far, and all reports
  Model last;  // after the last epoch; without numbers where the fit has ended
  bool finished = false;

  int32_t epoch() const { return static_cast<int32_t>(fit.reports.size()); }
};

class FitCheckpoints {
 public:
  // Made if need be, for its owner's eyes alone: profiles are personal data. Errors: ResourceExhausted; FailedPrecondition (another
  // training has the folder).
  static absl::StatusOr<FitCheckpoints> open(const std::string& folder);

  // Nothing where no such fit is kept, or its file is damaged or another program's.
  std::optional<FitState> find(const std::string& fingerprint) const;
  // In the place of what was kept of the fit before: whole, or not at all. Errors: ResourceExhausted.
  absl::Status keep(const std::string& fingerprint, const FitState& state) const;
  // Of this and every other training: when one has been published.
  void remove_all() const;

 private:
  FitCheckpoints(std::string folder, FileLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::string file_of(const std::string& fingerprint) const;

  std::string folder_;
  FileLock lock_;
};

}  // namespace bouquet::training
