#include "server/new_items.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/request_attributes.h"

namespace bouquet::server {
namespace {

constexpr int32_t kTogether = 64;

// What is said of the item under the names of the model's attributes.
AttributeMap attributes_of(const v1::Item& item, const AttributeSchema& schema) {
  AttributeMap out;
  for (const Attribute& attribute : schema.attributes()) {
    const std::string& name = attribute.name;
    if (const auto said = item.attributes().find(name); said != item.attributes().end())
      out[name] = said->second;
    else if (name == "title" && !item.title().empty())
      out[name].set_text(item.title());
    else if (name == "category" && !item.category().empty())
      out[name].set_text(item.category());
    else if (name == "price" && item.has_price())
      out[name].set_number(item.price());
    else if (name == "stock" && item.has_stock())
      out[name].set_number(item.stock());
    else if (name == "available" && item.has_available())
      out[name].set_flag(item.available());
  }
  return out;
}

// Values that the schema refuses are missing.
EncodedRow encoded(const AttributeMap& said, RequestAttributes& encoder) {
  const KnownAttributes known{.row = kNone, .live = said};
  EncodedRow row;
  encoder.encode({&known, 1}, AttributeMap(), nullptr, row).IgnoreError();  // what it refuses is passed over
  return row;
}

}  // namespace

bool places_items(const ServedModel& model) { return model.profiles() != nullptr && !model.artifact().model.item_prior.map.empty(); }

bool concerns_place(const ServedModel& model, const v1::Item& said) {
  return !attributes_of(said, model.artifact().item_attributes.schema).empty();
}

absl::StatusOr<AddedItems> placed(const ServedModel& model, std::span<const CatalogEntry> entries) {
  const Artifact& artifact = model.artifact();
  const int32_t d = model.dimension();
  auto profiler = model.profiles()->make_profiler({.max_batch = kTogether, .solved = Side::kItems});
  if (!profiler.ok()) return profiler.status();
  RequestAttributes encoder(artifact.item_attributes);
  AddedItems added;
  added.vectors.resize(entries.size() * static_cast<size_t>(d));
  for (size_t first = 0; first < entries.size(); first += kTogether) {
    const size_t count = std::min<size_t>(kTogether, entries.size() - first);
    GrowingAttributes rows(artifact.model.item_prior.column_count(d), artifact.model.item_prior.dense_count);
    for (const CatalogEntry& entry : entries.subspan(first, count)) {
      const EncodedRow row = encoded(attributes_of(entry.item(), artifact.item_attributes.schema), encoder);
      rows.append(row.dense, row.columns, row.values);
      added.ids.push_back(entry.item().item_id());
    }
    const std::vector<int64_t> no_events(count + 1, 0);
    const HistoryBatch histories{no_events, {}, {}, {}, rows.rows()};
    float* const out = added.vectors.data() + first * static_cast<size_t>(d);
    if (absl::Status s = (*profiler)->solve(histories, {.profiles = {out, static_cast<int64_t>(count), d}}); !s.ok()) return s;
  }
  return added;
}

}  // namespace bouquet::server
