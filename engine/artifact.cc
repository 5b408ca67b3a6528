#include "engine/artifact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "engine/array_checks.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_strings(std::string_view name, const StringColumn& strings, int64_t rows) {
  if (strings.offsets.empty()) return check_size(name, strings.bytes.size(), 0);
  return check_offsets(name, strings.offsets, rows, strings.bytes.size());
}

absl::Status check_catalog(const Catalog& catalog, int64_t item_count) {
  if (!catalog.kinds.empty())
    if (absl::Status s = check_size("item kinds", catalog.kinds.size(), item_count); !s.ok()) return s;
  for (int64_t i = 0; i < catalog.kinds.size(); ++i)
    if (catalog.kinds[i] >= kItemKindCount) return bad_entry("item kinds", i, absl::StrCat("is ", int{catalog.kinds[i]}, ", not a kind"));
  if (absl::Status s = check_strings("item titles", catalog.titles, item_count); !s.ok()) return s;
  if (absl::Status s = check_strings("item categories", catalog.categories, item_count); !s.ok()) return s;
  return validate(catalog.columns, item_count);
}

absl::Status check_history_entry(const Histories& h, int64_t e, int64_t item_count, int64_t previous_item) {
  if (h.items[e] < 0 || h.items[e] >= item_count) return bad_entry("history items", e, absl::StrCat("is ", h.items[e], ", not an item"));
  if (h.items[e] <= previous_item) return bad_entry("history items", e, "does not ascend within its customer");
  if (!(h.confidences[e] > 0) || !std::isfinite(h.confidences[e]))
    return bad_entry("history confidences", e, "is not more than 0 and finite");
  if (!h.targets.empty() && !std::isfinite(h.targets[e])) return bad_entry("history targets", e, "is not finite");
  if (h.consumed[e] > 1) return bad_entry("history consumed", e, absl::StrCat("is ", int{h.consumed[e]}, ", not 0 or 1"));
  if (!(h.repurchase[e] >= 0) || !std::isfinite(h.repurchase[e])) return bad_entry("history repurchase", e, "is not 0 or more and finite");
  if (h.repurchase[e] != 0 && h.consumed[e] == 0) return bad_entry("history repurchase", e, "is not 0 though nothing was consumed");
  if (!h.counts.empty() && (h.counts[e] < 0 || (h.counts[e] != 0 && h.consumed[e] == 0)))
    return bad_entry("history counts", e, absl::StrCat("is ", h.counts[e], ", below 0 or not 0 though nothing was consumed"));
  if (!h.given.empty() && h.given[e] != 0 && h.given[e] != h.confidences[e])
    return bad_entry("history given", e, "is neither 0 nor the confidence");
  if (!h.net.empty() && !std::isfinite(h.net[e])) return bad_entry("history net", e, "is not finite");
  return absl::OkStatus();
}

absl::Status check_histories(const Histories& h, int64_t customer_count, int64_t item_count) {
  const int64_t pairs = h.items.size();
  if (absl::Status s = check_offsets("history offsets", h.offsets, customer_count, pairs); !s.ok()) return s;
  if (absl::Status s = check_size("history confidences", h.confidences.size(), pairs); !s.ok()) return s;
  if (absl::Status s = check_size("history consumed", h.consumed.size(), pairs); !s.ok()) return s;
  if (absl::Status s = check_size("history repurchase", h.repurchase.size(), pairs); !s.ok()) return s;
  if (!h.targets.empty())
    if (absl::Status s = check_size("history targets", h.targets.size(), pairs); !s.ok()) return s;
  if (!h.counts.empty())
    if (absl::Status s = check_size("history counts", h.counts.size(), pairs); !s.ok()) return s;
  if (!h.given.empty())
    if (absl::Status s = check_size("history given", h.given.size(), pairs); !s.ok()) return s;
  if (!h.net.empty())
    if (absl::Status s = check_size("history net", h.net.size(), pairs); !s.ok()) return s;
  if (!h.minutes.empty())
    if (absl::Status s = check_size("history minutes", h.minutes.size(), pairs); !s.ok()) return s;
  for (int64_t customer = 0; customer < customer_count; ++customer) {
    int64_t previous_item = -1;
    for (int64_t e = h.offsets[customer]; e < h.offsets[customer + 1]; ++e) {
      if (absl::Status s = check_history_entry(h, e, item_count, previous_item); !s.ok()) return s;
      previous_item = h.items[e];
    }
  }
  return absl::OkStatus();
}

// Partner e of `item`: another item, at most as many baskets as either of the two, in the promised order, and only once.
absl::Status check_partner(const CoPurchases& c, int64_t item, int64_t e, int64_t item_count, std::vector<int64_t>& last_item_with) {
  const int32_t partner = c.partners[e];
  if (partner < 0 || partner >= item_count || partner == item)
    return bad_entry("co-purchase partners", e, absl::StrCat("is ", partner, ", not another item"));
  if (c.counts[e] < 1 || c.counts[e] > c.item_baskets[item] || c.counts[e] > c.item_baskets[partner])
    return bad_entry("co-purchase counts", e, absl::StrCat("is ", c.counts[e], ", outside 1 to the baskets of both items"));
  if (e > c.offsets[item] && (c.counts[e] > c.counts[e - 1] || (c.counts[e] == c.counts[e - 1] && partner <= c.partners[e - 1])))
    return bad_entry("co-purchase partners", e, "is out of order: the count falls, then the index rises");
  if (last_item_with[static_cast<size_t>(partner)] == item) return bad_entry("co-purchase partners", e, "stands twice for one item");
  last_item_with[static_cast<size_t>(partner)] = item;
  return absl::OkStatus();
}

absl::Status check_co_purchases(const CoPurchases& c, int64_t item_count) {
  if (c.basket_count < 0) return bad_input(absl::StrCat("co-purchases: the basket count is ", c.basket_count));
  if (c.counts.size() != c.partners.size()) return check_size("co-purchase counts", c.counts.size(), c.partners.size());
  if (c.offsets.empty()) return check_size("co-purchase partners without offsets", c.partners.size() + c.item_baskets.size(), 0);
  if (absl::Status s = check_size("co-purchase item baskets", c.item_baskets.size(), item_count); !s.ok()) return s;
  if (absl::Status s = check_offsets("co-purchase offsets", c.offsets, item_count, c.partners.size()); !s.ok()) return s;
  for (int64_t i = 0; i < item_count; ++i)
    if (c.item_baskets[i] < 0 || c.item_baskets[i] > c.basket_count)
      return bad_entry("co-purchase item baskets", i, absl::StrCat("is ", c.item_baskets[i], " of ", c.basket_count, " baskets"));
  std::vector<int64_t> last_item_with(static_cast<size_t>(item_count), -1);
  for (int64_t item = 0; item < item_count; ++item)
    for (int64_t e = c.offsets[item]; e < c.offsets[item + 1]; ++e)
      if (absl::Status s = check_partner(c, item, e, item_count, last_item_with); !s.ok()) return s;
  return absl::OkStatus();
}

// The attributes of one side against its schema and its prior.
absl::Status check_attributes(const std::string& side, const EncodedAttributes& attributes, const AttributePrior& prior, int32_t dimension,
                              int64_t rows) {
  const AttributeTable& table = attributes.table;
  const AttributeSchema& schema = attributes.schema;
  if (table.column_count != schema.column_count() || table.dense_count != schema.dense_count())
    return bad_input(absl::StrCat(side, " attributes: ", table.column_count, " columns, ", table.dense_count,
                                  " of them dense, where the schema has ", schema.column_count(), " and ", schema.dense_count()));
  if (!prior.map.empty() && (prior.column_count(dimension) != table.column_count || prior.dense_count != table.dense_count))
    return bad_input(
        absl::StrCat(side, " prior: made for ", prior.column_count(dimension), " columns where the schema has ", table.column_count));
  if (table.empty()) return absl::OkStatus();
  const absl::Status s = validate(table.rows(), rows);
  return s.ok() ? s : bad_input(absl::StrCat(side, " ", std::string(message_of(s))));
}

// The same complaint as a fault of the stored data instead of a fault of the caller.
absl::Status as_bad_input(std::string_view where, const absl::Status& status) {
  if (status.ok()) return status;
  return bad_input(absl::StrCat(std::string(where), ": ", std::string(message_of(status))));
}

absl::Status check_settings(const Artifact& artifact) {
  if (absl::Status s = as_bad_input("event rules", validate(artifact.rules)); !s.ok()) return s;
  if (absl::Status s = as_bad_input("training options", validate(artifact.recipe.options)); !s.ok()) return s;
  const double share = artifact.repurchase.share;
  if (!(share >= 0 && share <= 1)) return bad_input(absl::StrCat("the repurchase share is ", share, ", outside 0 to 1"));
  if (artifact.recipe.epochs < 0) return bad_input(absl::StrCat("the recipe has ", artifact.recipe.epochs, " epochs"));
  return absl::OkStatus();
}

}  // namespace

void Histories::read(CustomerIndex customer, int64_t reference_time, std::vector<HistoryEntry>& history) const {
  history.clear();
  if (offsets.empty()) return;
  for (int64_t e = offsets[customer]; e < offsets[customer + 1]; ++e) {
    const int32_t count = counts.empty() ? int32_t{consumed[e]} : counts[e];
    history.push_back({.item = items[e],
                       .confidence = confidences[e],
                       .target = targets.empty() ? 1.0f : targets[e],
                       .consumed = consumed[e] != 0,
                       .repurchase = repurchase[e],
                       .count = count,
                       .given = given.empty() ? confidences[e] : given[e],
                       .net = net.empty() ? static_cast<float>(count) : net[e],
                       .newest = minutes.empty() ? reference_time : int64_t{minutes[e]} * kMicrosecondsPerMinute});
  }
}

bool Artifact::stands_for(std::string_view wanted) const {
  return version == wanted || std::ranges::any_of(replaces, [&](const ReplacedVersion& one) { return one.version == wanted; });
}

absl::Status validate(const Artifact& artifact) {
  const Model& model = artifact.model;
  if (absl::Status s = validate(model); !s.ok()) return s;
  // Counted in 64 bits first: Model counts rows in 32.
  const int64_t customers = model.profiles.size() / model.dimension;
  const int64_t items = model.item_vectors.size() / model.dimension;
  constexpr int64_t kMostRows = std::numeric_limits<int32_t>::max() - 1;
  if (customers > kMostRows || items > kMostRows) return bad_input("the model has more than 2^31 - 2 customers or items");
  if (absl::Status s = check_size("customer ids", artifact.customer_ids.size(), customers); !s.ok()) return s;
  if (absl::Status s = check_size("item ids", artifact.item_ids.size(), items); !s.ok()) return s;
  if (absl::Status s = check_settings(artifact); !s.ok()) return s;
  if (absl::Status s = check_catalog(artifact.catalog, items); !s.ok()) return s;
  if (absl::Status s = check_histories(artifact.histories, customers, items); !s.ok()) return s;
  if (absl::Status s = check_size("item customers", artifact.item_customers.size(), items); !s.ok()) return s;
  for (int64_t i = 0; i < items; ++i)
    if (artifact.item_customers[i] < 0) return bad_entry("item customers", i, absl::StrCat("is ", artifact.item_customers[i]));
  if (absl::Status s = check_attributes("customer", artifact.customer_attributes, model.customer_prior, model.dimension, customers);
      !s.ok())
    return s;
  if (absl::Status s = check_attributes("item", artifact.item_attributes, model.item_prior, model.dimension, items); !s.ok()) return s;
  if (absl::Status s = validate(artifact.content_links, items, model.dimension); !s.ok()) return s;
  if (absl::Status s = validate(artifact.uncertainty, model); !s.ok()) return s;
  if (absl::Status s = validate(artifact.calibration); !s.ok()) return s;
  return check_co_purchases(artifact.co_purchases, items);
}

}  // namespace bouquet
