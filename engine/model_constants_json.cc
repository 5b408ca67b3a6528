#include "engine/model_constants_json.h"

#include <limits>

namespace bouquet {

nlohmann::ordered_json model_constants_json(const ModelConstants& c) {
  return {{"unobserved_weight", c.unobserved_weight},
          {"regularization", c.regularization},
          {"regularization_exponent", c.regularization_exponent},
          {"training_item_count", c.training_item_count},
          {"training_customer_count", c.training_customer_count},
          {"empty_history_share", c.empty_history_share}};
}

ModelConstants read_model_constants(const JsonFields& f, int32_t format_minor) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  ModelConstants c;
  c.unobserved_weight = f.number("unobserved_weight");
  c.regularization = f.number("regularization");
  c.regularization_exponent = f.number("regularization_exponent");
  c.training_item_count = f.integer("training_item_count", 0, kMost);
  c.training_customer_count = f.integer("training_customer_count", 0, kMost);
  if (format_minor >= 6) c.empty_history_share = f.number("empty_history_share");
  return c;
}

}  // namespace bouquet
