// What `bouquet bench serve` says: a line for each run, one JSON document, a plot.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "bench/load_generator.h"

namespace bouquet::bench {

// One run of a load.
struct ServeRun {
  std::string what;
  double rate = 0;         // calls due in a second; 0: closed loop
  int32_t at_percent = 0;  // of the capacity; 0: it was not said so
};

class ServeReport {
 public:
  // `settings`: what all runs have in common. `svg`: a file for the plot, or empty. Errors: InvalidArgument (--svg cannot be written).
  static absl::StatusOr<ServeReport> begin(const nlohmann::ordered_json& settings, bool json, const std::string& svg);

  // Takes a run; prints it, unless --json was given. `plan.meter` was the server's processor time. Errors: Internal (an answer was wrong).
  absl::Status add(const ServeRun& run, const LoadPlan& plan, const LoadResult& result);

  // Prints the JSON document and writes the plot, whichever was asked for. Errors: ResourceExhausted (the plot).
  absl::Status finish() const;

 private:
  nlohmann::ordered_json document_;
  bool json_ = false;
  std::string svg_;
};

}  // namespace bouquet::bench
