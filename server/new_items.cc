#include "server/new_items.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/log.h"
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

bool same_row(const AttributeRows& a, int64_t at, const AttributeRows& b, int64_t bt) {
  return std::ranges::equal(a.dense_row(at), b.dense_row(bt)) && std::ranges::equal(a.row_columns(at), b.row_columns(bt)) &&
         std::ranges::equal(a.row_values(at), b.row_values(bt));
}

void link(const ContentIndex& index, const AddedItems& before, AddedItems& added) {
  absl::flat_hash_map<std::string_view, size_t> known;
  for (size_t k = 0; k < before.links.size(); ++k) known.emplace(before.ids[k], k);
  const AttributeRows rows = added.attributes.rows(), known_rows = before.attributes.rows();
  std::vector<double> sums(index.items(), 0);
  int64_t steps = 0, waiting = 0;
  for (size_t a = 0; a < added.ids.size(); ++a) {
    std::vector<ContentLink>& links = added.links.emplace_back();
    const auto found = known.find(added.ids[a]);
    if (found != known.end() && same_row(rows, static_cast<int64_t>(a), known_rows, static_cast<int64_t>(found->second)))
      links = before.links[found->second];
    if (!links.empty()) continue;
    const std::vector<UnitEntry> row = unit_row(rows, static_cast<int64_t>(a));
    const int64_t work = index.work(row);
    if (steps > kMostLinkSteps - work) {
      ++waiting;
      continue;
    }
    steps += work;
    links = index.most_alike(row, sums);
  }
  if (waiting > 0)
    log_event(
        LogLevel::kWarning, "items.not_linked",
        {{"items", std::to_string(waiting)}, {"why", "their attributes are too many for one call; the next one with new items goes on"}});
}

}  // namespace

bool places_items(const ServedModel& model) { return model.profiles() != nullptr && !model.artifact().model.item_prior.map.empty(); }

bool concerns_place(const ServedModel& model, const v1::Item& said) {
  return !attributes_of(said, model.artifact().item_attributes.schema).empty();
}

absl::StatusOr<AddedItems> placed(const ServedModel& model, std::span<const CatalogEntry> entries, const AddedItems& before) {
  const Artifact& artifact = model.artifact();
  const int32_t d = model.dimension();
  auto profiler = model.profiles()->make_profiler({.max_batch = kTogether, .solved = Side::kItems});
  if (!profiler.ok()) return profiler.status();
  RequestAttributes encoder(artifact.item_attributes);
  AddedItems added;
  added.vectors.resize(entries.size() * static_cast<size_t>(d));
  const AttributePrior& prior = artifact.model.item_prior;
  GrowingAttributes all(prior.column_count(d), prior.dense_count), rows = all;
  for (size_t first = 0; first < entries.size(); first += kTogether) {
    const size_t count = std::min<size_t>(kTogether, entries.size() - first);
    rows.clear();
    for (const CatalogEntry& entry : entries.subspan(first, count)) {
      const EncodedRow row = encoded(attributes_of(entry.item(), artifact.item_attributes.schema), encoder);
      rows.append(row.dense, row.columns, row.values);
      all.append(row.dense, row.columns, row.values);
      added.ids.push_back(entry.item().item_id());
    }
    const std::vector<int64_t> no_events(count + 1, 0);
    const HistoryBatch histories{no_events, {}, {}, {}, rows.rows()};
    float* const out = added.vectors.data() + first * static_cast<size_t>(d);
    if (absl::Status s = (*profiler)->solve(histories, {.profiles = {out, static_cast<int64_t>(count), d}}); !s.ok()) return s;
  }
  added.attributes = std::move(all).take();
  if (const ContentIndex* index = model.content_index()) link(*index, before, added);
  return added;
}

}  // namespace bouquet::server
