#include "training/set_relevance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/ridge_rule.h"
#include "training/trainer.h"

namespace bouquet::training {
namespace {

constexpr size_t kShown = 8;

std::vector<double> weights_of(const SparseRows& rows, const TrainingOptions& options) {
  return ridges_of(rows, ridge_rule_of(options, rows.column_count));
}

std::string text_of(const char* side, std::vector<AttributeRelevance> relevance) {
  std::ranges::stable_sort(relevance, std::ranges::greater{}, &AttributeRelevance::share);
  std::string out = absl::StrFormat("%s: ", side);
  for (size_t a = 0; a < std::min(kShown, relevance.size()); ++a)
    out += absl::StrFormat("%s%s %.2f", a == 0 ? "" : ", ", relevance[a].name, relevance[a].share);
  if (relevance.size() > kShown) out += absl::StrFormat(", %d more up to %.2f", relevance.size() - kShown, relevance[kShown].share);
  return out;
}

}  // namespace

absl::StatusOr<SetRelevance> find_relevance(Backend& backend, const TrainingOptions& options, int threads, Progress& progress,
                                            TrainingSet& set, const FitCheckpoints* checkpoints) {
  AttributeTable customers = std::exchange(set.interactions.customer_attributes, {});
  AttributeTable items = std::exchange(set.interactions.item_attributes, {});
  const FitPlan plan{.stage = "fitting without attributes, to see what they say", .max_epochs = options.attribute_warmup, .metric = ""};
  const auto fit = fit_model(backend, set.interactions, options, plan, {}, progress, checkpoints);
  set.interactions.customer_attributes = std::move(customers);
  set.interactions.item_attributes = std::move(items);
  if (!fit.ok()) return fit.status();
  const auto side = [&](const AttributeSchema& schema, const AttributeTable& table, const SparseRows& rows,
                        MatrixView<const float> vectors) {
    return table.empty() ? std::vector<AttributeRelevance>()
                         : attribute_relevance(schema, {table.rows(), weights_of(rows, options)}, vectors, threads);
  };
  return SetRelevance{
      side(set.customer_schema, set.interactions.customer_attributes, set.interactions.by_customer, fit->model.profile_matrix()),
      side(set.item_schema, set.interactions.item_attributes, set.interactions.by_item, fit->model.item_matrix())};
}

void set_ridges(const SetRelevance& relevance, const TrainingOptions& options, TrainingSet& set) {
  Interactions& shop = set.interactions;
  if (!shop.customer_attributes.empty())
    shop.customer_attribute_ridges = relevance_ridges(
        set.customer_schema, {shop.customer_attributes.rows(), weights_of(shop.by_customer, options)}, relevance.customers);
  if (!shop.item_attributes.empty())
    shop.item_attribute_ridges =
        relevance_ridges(set.item_schema, {shop.item_attributes.rows(), weights_of(shop.by_item, options)}, relevance.items);
}

std::string relevance_text(const SetRelevance& relevance) {
  std::string out;
  if (!relevance.customers.empty()) out = text_of("customers", relevance.customers);
  if (!relevance.items.empty()) out += (out.empty() ? "" : "; ") + text_of("items", relevance.items);
  return out;
}

}  // namespace bouquet::training
