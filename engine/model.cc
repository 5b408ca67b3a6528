#include "engine/model.h"

#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_finite(const char* name, const SharedArray<float>& values, int64_t d) {
  for (int64_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      return bad_input(std::string(name) + ": row " + std::to_string(i / d) + " holds a number that is not finite");
  return absl::OkStatus();
}

}  // namespace

absl::Status validate(const Model& model) {
  const int64_t d = model.dimension;
  if (d < 1 || d > kMaxDimension) return bad_input("the model's dimension is " + std::to_string(d) + ", outside 1 to 1024");
  if (model.profiles.size() % d != 0 || model.item_vectors.size() % d != 0 || model.item_gram.size() != d * d)
    return bad_input("the model's arrays do not fit its dimension " + std::to_string(d));
  for (const AttributePrior* prior : {&model.customer_prior, &model.item_prior})
    if (prior->map.size() % d != 0 || prior->dense_count < 0 || prior->dense_count > prior->column_count(model.dimension))
      return bad_input("the model's attribute maps do not fit its dimension " + std::to_string(d));
  const ModelConstants& c = model.constants;
  if (!(c.unobserved_weight >= 0) || !(c.regularization >= 0) || !std::isfinite(c.unobserved_weight) || !std::isfinite(c.regularization) ||
      !std::isfinite(c.regularization_exponent) || c.training_item_count < 0 || c.training_customer_count < 0 ||
      !(c.empty_history_share >= 0 && c.empty_history_share <= 1))
    return bad_input("the model's constants are out of range");
  if (absl::Status s = check_finite("profiles", model.profiles, d); !s.ok()) return s;
  if (absl::Status s = check_finite("item vectors", model.item_vectors, d); !s.ok()) return s;
  if (absl::Status s = check_finite("customer prior", model.customer_prior.map, d); !s.ok()) return s;
  if (absl::Status s = check_finite("item prior", model.item_prior.map, d); !s.ok()) return s;
  return check_finite("item gram", model.item_gram, d);
}

}  // namespace bouquet
