// What a training is asked to do, apart from the data. Frozen into the manifest of the model.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bouquet {

enum class Solver { kAuto, kExact };  // kAuto takes the exact one today; pcg and block are named in cli.md and not built yet

struct TrainingOptions {
  int32_t dimension = 128;               // d, 1 to 1024
  uint64_t seed = 1;                     // of the initial factors
  double unobserved_weight = 0.1;        // alpha0 >= 0
  double regularization = 0.01;          // lambda > 0
  double regularization_exponent = 0.5;  // nu, 0 to 2
  Solver solver = Solver::kAuto;
  // Of the priors that attributes give (docs/algorithms/attributes.md); without attributes these mean nothing.
  double customer_attribute_regularization = 1;  // lambda_A > 0; the intercept is not regularised
  double item_attribute_regularization = 1;      // lambda_B > 0
  int32_t attribute_warmup = 2;                  // epochs without attributes before the first attribute step, 1 or more
  int32_t attribute_period = 1;                  // an attribute step every so many epochs after that, 1 or more
};

absl::StatusOr<Solver> parse_solver(std::string_view name);  // auto, exact; pcg and block are Unimplemented by name
std::string_view solver_name(Solver solver);

// Errors: InvalidArgument, naming the option, its value and its range.
absl::Status validate(const TrainingOptions& options);

}  // namespace bouquet
