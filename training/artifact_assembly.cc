#include "training/artifact_assembly.h"

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "training/co_purchases.h"
#include "training/part_histories.h"
#include "training/popularity.h"
#include "training/test_set.h"

namespace bouquet::training {
namespace {

IdTable ids_of_rows(const IdMap& ids, const std::vector<int32_t>& rows) {
  IdMap out;
  for (const int32_t row : rows) out.add(ids.id(row));
  return std::move(out).freeze();
}

StringColumn strings_of_rows(const StringColumn& column, const std::vector<int32_t>& rows) {
  if (column.offsets.empty()) return {};
  std::vector<char> bytes;
  std::vector<uint64_t> offsets{0};
  for (const int32_t row : rows) {
    const std::string_view text = column.at(row);
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(bytes.size());
  }
  return {std::move(bytes), std::move(offsets)};
}

Catalog catalog_of_rows(const Catalog& catalog, int64_t item_count, const std::vector<int32_t>& rows) {
  Catalog out;
  if (!catalog.kinds.empty()) {
    std::vector<uint8_t> kinds;
    for (const int32_t row : rows) kinds.push_back(catalog.kinds[row]);
    out.kinds = std::move(kinds);
  }
  out.titles = strings_of_rows(catalog.titles, rows);
  out.categories = strings_of_rows(catalog.categories, rows);
  out.columns = columns_of_rows(catalog.columns, item_count, rows);
  return out;
}

int32_t minute_of(int64_t microseconds) {
  const int64_t minute = microseconds / kMicrosecondsPerMinute - (microseconds % kMicrosecondsPerMinute < 0 ? 1 : 0);
  return static_cast<int32_t>(std::clamp<int64_t>(minute, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

// What is kept of histories for the events that come later.
struct Continuations {
  std::vector<int32_t> counts, minutes;
  std::vector<float> given, net;
};

Continuations continuations_of(const Dataset& dataset, const EventRules& rules) {
  Continuations out;
  bool returns_alone = false;
  for_each_history(dataset, std::span<const uint8_t>(), rules, [&](CustomerIndex, const std::vector<HistoryEntry>& history) {
    for (const HistoryEntry& entry : history) {
      out.counts.push_back(entry.count);
      out.given.push_back(entry.given);
      out.net.push_back(entry.net);
      if (dataset.events.has_times()) out.minutes.push_back(minute_of(entry.newest));
      returns_alone = returns_alone || entry.given == 0;
    }
  });
  if (!returns_alone) out.given = {};
  return out;
}

// What the training was told of customers and the model has no attribute of: ignored, of no use, or switched off.
std::vector<std::string> left_out(const EntityAttributes& given, const AttributeSchema& schema) {
  std::set<std::string> names;
  for (const Attribute& attribute : given.schema.attributes()) names.insert(attribute.name);
  for (const AttributeFinding& finding : given.findings) names.insert(finding.attribute);
  for (const auto& [name, setting] : given.source.settings) names.insert(name);
  std::erase_if(names, [&](const std::string& name) { return schema.find(name) != kNone; });
  return {names.begin(), names.end()};
}

}  // namespace

Artifact assemble_artifact(const Dataset& dataset, TrainingSet set, Model model, AssemblyParts parts) {
  Artifact out;
  out.created_at = dataset.read_at;
  const RowMaps rows = RowMaps::of(dataset, set);
  out.co_purchases = count_co_purchases(dataset, rows.items, static_cast<int32_t>(set.items.size()));
  out.item_customers = count_item_customers(HistoriesView::of(set), static_cast<int32_t>(set.items.size()));
  out.customer_ids = ids_of_rows(dataset.customers, set.customers);
  out.item_ids = ids_of_rows(dataset.items, set.items);
  out.catalog = catalog_of_rows(dataset.catalog, dataset.items.size(), set.items);
  Continuations rest = continuations_of(dataset, set.rules);
  out.customer_attributes = {std::move(set.customer_schema), std::move(set.interactions.customer_attributes)};
  out.customer_attributes.left_out = left_out(dataset.customer_attributes, out.customer_attributes.schema);
  out.item_attributes = {std::move(set.item_schema), std::move(set.interactions.item_attributes)};
  SparseRows& pairs = set.interactions.by_customer;
  out.histories = {.offsets = std::move(pairs.offsets),
                   .items = std::move(pairs.columns),
                   .confidences = std::move(pairs.confidences),
                   .targets = std::move(pairs.targets),
                   .consumed = std::move(set.consumed),
                   .repurchase = std::move(set.repurchase),
                   .counts = std::move(rest.counts),
                   .given = std::move(rest.given),
                   .net = std::move(rest.net),
                   .minutes = std::move(rest.minutes)};
  out.rules = std::move(set.rules);
  out.model = std::move(model);
  out.recipe = std::move(parts.recipe);
  out.metrics = std::move(parts.metrics);
  out.repurchase = parts.repurchase;
  out.content_links = std::move(parts.content_links);
  out.uncertainty = std::move(parts.uncertainty);
  out.calibration = std::move(parts.calibration);
  return out;
}

}  // namespace bouquet::training
