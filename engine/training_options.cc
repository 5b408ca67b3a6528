#include "engine/training_options.h"

#include <cmath>
#include <string>

#include "engine/errors.h"
#include "engine/model.h"
#include "engine/unsupported_options.h"

namespace bouquet {

absl::StatusOr<Solver> parse_solver(std::string_view name) {
  if (name == "auto") return Solver::kAuto;
  if (name == "exact") return Solver::kExact;
  if (absl::Status s = check_supported("any", "solver", name); !s.ok()) return s;
  return wrong_usage("--solver '" + std::string(name) + "' is unknown; it takes auto, exact, pcg or block");
}

std::string_view solver_name(Solver solver) { return solver == Solver::kAuto ? "auto" : "exact"; }

absl::Status validate(const TrainingOptions& o) {
  const auto out_of_range = [](std::string_view flag, double value, std::string_view range) {
    return wrong_usage("--" + std::string(flag) + " is " + std::to_string(value) + "; it must be " + std::string(range));
  };
  if (o.dimension < 1 || o.dimension > kMaxDimension) return out_of_range("dimension", o.dimension, "from 1 to 1024");
  if (!(o.unobserved_weight >= 0) || !std::isfinite(o.unobserved_weight))
    return out_of_range("unobserved-weight", o.unobserved_weight, "0 or more");
  if (!(o.regularization > 0) || !std::isfinite(o.regularization)) return out_of_range("regularization", o.regularization, "more than 0");
  if (!(o.regularization_exponent >= 0 && o.regularization_exponent <= 2))
    return out_of_range("regularization-exponent", o.regularization_exponent, "from 0 to 2");
  if (!(o.customer_attribute_regularization > 0) || !std::isfinite(o.customer_attribute_regularization))
    return out_of_range("customer-attribute-regularization", o.customer_attribute_regularization, "more than 0");
  if (!(o.item_attribute_regularization > 0) || !std::isfinite(o.item_attribute_regularization))
    return out_of_range("item-attribute-regularization", o.item_attribute_regularization, "more than 0");
  if (o.attribute_warmup < 1) return out_of_range("attribute-warmup", o.attribute_warmup, "1 or more");
  if (o.attribute_period < 1) return out_of_range("attribute-period", o.attribute_period, "1 or more");
  return absl::OkStatus();
}

}  // namespace bouquet
