#include "engine/checkpoint_checks.h"

#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_size(const char* what, int64_t found, int64_t wanted) {
  if (found == wanted) return absl::OkStatus();
  return wrong_usage("a training cannot go on from this model: it has " + std::to_string(found) + " " + what + ", the training " +
                     std::to_string(wanted));
}

}  // namespace

absl::Status check_checkpoint(const Model& model, int32_t epoch, const Interactions& interactions, const TrainingOptions& options,
                              int32_t epochs_run) {
  if (epochs_run != 0) return absl::FailedPreconditionError("a training goes on from a model before its first epoch");
  if (epoch < 1) return wrong_usage("a training goes on after epoch 1 or a later one");
  if (absl::Status s = check_size("dimensions", model.dimension, options.dimension); !s.ok()) return s;
  if (absl::Status s = check_size("customers", model.customer_count(), interactions.customer_count()); !s.ok()) return s;
  if (absl::Status s = check_size("items", model.item_count(), interactions.item_count()); !s.ok()) return s;
  const auto columns = [&](const AttributePrior& prior) { return int64_t{prior.column_count(options.dimension)}; };
  if (absl::Status s =
          check_size("columns of customer attributes", columns(model.customer_prior), interactions.customer_attributes.column_count);
      !s.ok())
    return s;
  if (absl::Status s = check_size("columns of item attributes", columns(model.item_prior), interactions.item_attributes.column_count);
      !s.ok())
    return s;
  if (const absl::Status s = validate(model); !s.ok())
    return wrong_usage("a training cannot go on from this model: " + std::string(message_of(s)));
  return absl::OkStatus();
}

}  // namespace bouquet
