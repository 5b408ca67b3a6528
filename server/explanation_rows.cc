#include "server/explanation_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_format.h"
#include "server/answer_rows.h"

namespace bouquet::server {
namespace {

constexpr size_t kMostReasons = 3;    // of events, and of attributes
constexpr double kReasonShare = 0.1;  // a reason adds at least this share of the largest contribution

// One addend of a score. Names are made for what is shown alone: a customer with thousands of attributes has as many.
struct Part {
  v1::ContributionSource source;
  int32_t at;  // EVENT, CONTENT: the position in the history; ATTRIBUTE: the column
  double value;
};

// What raises a score, or several addends of one kind together.
struct Reason {
  int32_t at;  // an item, or a column
  bool whole;  // of all columns of the attribute
  double value;
};

void add(v1::ContributionSource source, const std::string& name, double value, v1::RecommendedItem* row) {
  v1::Contribution* contribution = row->add_contributions();
  contribution->set_source(source);
  contribution->set_name(name);
  contribution->set_value(value);
}

std::string name_of(const ServedModel& served, const Part& part, std::span<const int32_t> history) {
  if (part.source == v1::CONTRIBUTION_SOURCE_ATTRIBUTE) return served.artifact().customer_attributes.schema.column_name(part.at);
  return std::string(served.artifact().item_ids.id(history[static_cast<size_t>(part.at)]));
}

// Events and attributes; the largest `most_sorted` stand first, in order.
std::vector<Part> parts_of(const Explanation& explanation, size_t most_sorted) {
  std::vector<Part> all;
  all.reserve(explanation.events.size() + explanation.content.size() + explanation.attributes.size());
  const auto add_all = [&](v1::ContributionSource source, std::span<const double> values) {
    for (size_t j = 0; j < values.size(); ++j)
      if (values[j] != 0) all.push_back({source, static_cast<int32_t>(j), values[j]});
  };
  add_all(v1::CONTRIBUTION_SOURCE_EVENT, explanation.events);
  add_all(v1::CONTRIBUTION_SOURCE_CONTENT, explanation.content);
  for (const AttributeContribution& a : explanation.attributes) all.push_back({v1::CONTRIBUTION_SOURCE_ATTRIBUTE, a.column, a.value});
  const auto sorted = all.begin() + static_cast<std::ptrdiff_t>(std::min(most_sorted, all.size()));
  std::ranges::partial_sort(all, sorted, [](const Part& x, const Part& y) {
    return std::tuple(-std::abs(x.value), x.source, x.at) < std::tuple(-std::abs(y.value), y.source, y.at);
  });
  return all;
}

// "because of A, B and C", of what raises the score most; `name` names one.
template <typename Name>
void add_reason(std::vector<Reason> candidates, double least, const Name& name, v1::RecommendedItem* row) {
  std::erase_if(candidates, [&](const Reason& c) { return c.value < least || c.value <= 0; });
  const size_t shown = std::min(candidates.size(), kMostReasons);
  if (shown == 0) return;
  std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const Reason& x, const Reason& y) { return std::tuple(-x.value, x.at) < std::tuple(-y.value, y.at); });
  std::string text = "because of ";
  for (size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : i + 1 == shown ? " and " : ", ") + name(candidates[i]);
  row->add_reasons(text);
}

void add_reasons(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history, v1::RecommendedItem* row) {
  std::vector<Reason> events, attributes;
  double largest = 0;
  for (size_t j = 0; j < explanation.events.size(); ++j) {
    const double value = explanation.events[j] + (explanation.content.empty() ? 0 : explanation.content[j]);
    events.push_back({static_cast<int32_t>(j), false, value});
    largest = std::max(largest, value);
  }
  // Columns of one attribute speak together: thirty words of a text are one reason. They ascend, and so do those of an attribute.
  const AttributeSchema& schema = served.artifact().customer_attributes.schema;
  std::vector<int32_t> place(schema.attributes().size(), kNone);  // in `attributes`
  for (const AttributeContribution& c : explanation.attributes) {
    int32_t& mine = place[schema.attribute_of(c.column)];
    if (mine == kNone) {
      mine = static_cast<int32_t>(attributes.size());
      attributes.push_back({c.column, false, c.value});
      continue;
    }
    attributes[static_cast<size_t>(mine)].whole = true;
    attributes[static_cast<size_t>(mine)].value += c.value;
  }
  for (const Reason& attribute : attributes) largest = std::max(largest, attribute.value);
  add_reason(
      std::move(events), kReasonShare * largest,
      [&](const Reason& event) { return item_name(served, history[static_cast<size_t>(event.at)]); }, row);
  const auto attribute_name = [&](const Reason& attribute) {
    return attribute.whole ? schema.attributes()[schema.attribute_of(attribute.at)].name : schema.column_name(attribute.at);
  };
  add_reason(std::move(attributes), kReasonShare * largest, attribute_name, row);
}

}  // namespace

void write_explanation(const ServedModel& served, const Explanation& explanation, std::span<const int32_t> history, v1::Explain how,
                       v1::RecommendedItem* row) {
  const size_t most = how == v1::EXPLAIN_TOP ? kTopContributions : std::numeric_limits<size_t>::max();
  const std::vector<Part> all = parts_of(explanation, most);
  const size_t shown = std::min(all.size(), most);
  double others = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i < shown)
      add(all[i].source, name_of(served, all[i], history), all[i].value, row);
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
