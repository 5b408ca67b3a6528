#include "server/explanation_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "server/answer_rows.h"

namespace bouquet::server {
namespace {

constexpr size_t kMostReasons = 3;    // of events, and of attributes
constexpr double kReasonShare = 0.1;  // a reason adds at least this share of the largest contribution

struct Named {
  v1::ContributionSource source;
  std::string name;
  double value;
};

void add(v1::ContributionSource source, const std::string& name, double value, v1::RecommendedItem* row) {
  v1::Contribution* contribution = row->add_contributions();
  contribution->set_source(source);
  contribution->set_name(name);
  contribution->set_value(value);
}

// Events and attributes, the largest first.
std::vector<Named> named_contributions(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history) {
  const Artifact& artifact = served.artifact();
  std::vector<Named> all;
  for (size_t j = 0; j < explanation.events.size(); ++j)
    if (explanation.events[j] != 0)
      all.push_back({v1::CONTRIBUTION_SOURCE_EVENT, std::string(artifact.item_ids.id(history[j])), explanation.events[j]});
  for (size_t j = 0; j < explanation.content.size(); ++j)
    if (explanation.content[j] != 0)
      all.push_back({v1::CONTRIBUTION_SOURCE_CONTENT, std::string(artifact.item_ids.id(history[j])), explanation.content[j]});
  for (const AttributeContribution& a : explanation.attributes)
    all.push_back({v1::CONTRIBUTION_SOURCE_ATTRIBUTE, artifact.customer_attributes.schema.column_name(a.column), a.value});
  std::ranges::stable_sort(all, [](const Named& a, const Named& b) { return std::abs(a.value) > std::abs(b.value); });
  return all;
}

// "because of A, B and C", of what raises the score most.
void add_reason(std::vector<Named> candidates, double least, v1::RecommendedItem* row) {
  std::erase_if(candidates, [&](const Named& c) { return c.value < least || c.value <= 0; });
  std::ranges::stable_sort(candidates, [](const Named& a, const Named& b) { return a.value > b.value; });
  if (candidates.size() > kMostReasons) candidates.resize(kMostReasons);
  if (candidates.empty()) return;
  std::string text = "because of ";
  for (size_t i = 0; i < candidates.size(); ++i) text += (i == 0 ? "" : i + 1 == candidates.size() ? " and " : ", ") + candidates[i].name;
  row->add_reasons(text);
}

void add_reasons(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history, v1::RecommendedItem* row) {
  std::vector<Named> events, attributes;
  double largest = 0;
  for (size_t j = 0; j < explanation.events.size(); ++j) {
    const double value = explanation.events[j] + (explanation.content.empty() ? 0 : explanation.content[j]);
    events.push_back({v1::CONTRIBUTION_SOURCE_EVENT, item_name(served, history[j]), value});
    largest = std::max(largest, value);
  }
  // Columns of one attribute speak together: thirty words of a text are one reason.
  const AttributeSchema& schema = served.artifact().customer_attributes.schema;
  std::vector<int32_t> place(schema.attributes().size(), kNone);  // in `attributes`
  for (const AttributeContribution& c : explanation.attributes) {
    const size_t a = schema.attribute_of(c.column);
    if (place[a] == kNone) {
      place[a] = static_cast<int32_t>(attributes.size());
      attributes.push_back({v1::CONTRIBUTION_SOURCE_ATTRIBUTE, schema.column_name(c.column), c.value});
      continue;
    }
    Named& together = attributes[static_cast<size_t>(place[a])];
    together.name = schema.attributes()[a].name;
    together.value += c.value;
  }
  for (const Named& attribute : attributes) largest = std::max(largest, attribute.value);
  add_reason(std::move(events), kReasonShare * largest, row);
  add_reason(std::move(attributes), kReasonShare * largest, row);
}

}  // namespace

void write_explanation(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history, v1::Explain how,
                       v1::RecommendedItem* row) {
  const std::vector<Named> all = named_contributions(served, explanation, history);
  const size_t shown = how == v1::EXPLAIN_TOP ? std::min(all.size(), kTopContributions) : all.size();
  double others = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i < shown)
      add(all[i].source, all[i].name, all[i].value, row);
    else
      others += all[i].value;
  }
  if (shown < all.size()) add(v1::CONTRIBUTION_SOURCE_OTHERS, "", others, row);
  if (!served.artifact().model.customer_prior.map.empty()) add(v1::CONTRIBUTION_SOURCE_INTERCEPT, "", explanation.intercept, row);
  add(v1::CONTRIBUTION_SOURCE_ROUNDING, "", explanation.rest, row);
  if (how == v1::EXPLAIN_FULL)
    for (const auto& [pair, value] : explanation.returns_leave_one_out)
      add(v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT, std::string(served.artifact().item_ids.id(history[pair])), value, row);
  add_reasons(served, explanation, history, row);
}

void explain_rows(const ServedModel& served, const SolvedCustomer& customer, const ContentBlend& blend, v1::Explain how,
                  std::span<v1::RecommendedItem* const> rows) {
  std::vector<ItemIndex> items;
  for (const v1::RecommendedItem* row : rows) items.push_back(served.artifact().item_ids.find(row->item_id()));
  std::vector<Explanation> explanations = explain(served.artifact().model, customer, items);
  for (size_t i = 0; i < rows.size(); ++i) {
    Explanation& explanation = explanations[i];
    explanation.content = blend.contributions(customer.items, items[i]);
    // The served score is rounded once, so what rounding leaves is another number.
    const double content = std::accumulate(explanation.content.begin(), explanation.content.end(), 0.0);
    explanation.rest += double{rows[i]->score()} - explanation.score - content;
    explanation.score = double{rows[i]->score()};
    write_explanation(served, explanation, customer.items, how, rows[i]);
  }
}

void explain_repurchase(const ServedModel& served, v1::RecommendedItem* row) {
  add(v1::CONTRIBUTION_SOURCE_EVENT, row->item_id(), double{row->score()}, row);
  const double half_life = served.artifact().rules.repurchase_half_life_days;
  if (half_life == 0)
    row->add_reasons(row->score() == 1 ? "bought before" : absl::StrFormat("bought %.0f times", row->score()));
  else
    row->add_reasons(absl::StrFormat("bought before: worth %.2g purchases now, half as much every %g days", row->score(), half_life));
}

}  // namespace bouquet::server
