#include "training/dataset_attributes.h"

#include <algorithm>
#include <span>
#include <utility>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

// How many events each entity has, and how many days before the newest of all its last one was.
std::vector<LeakageTarget> targets_of(const EventLog& events, std::span<const int32_t> entities, int32_t count) {
  std::vector<LeakageTarget> targets = {{"the number of events", std::vector<float>(static_cast<size_t>(count))}};
  std::vector<int64_t> last(events.has_times() ? static_cast<size_t>(count) : 0, INT64_MIN);
  for (size_t e = 0; e < entities.size(); ++e) {
    if (entities[e] == kNone) continue;
    const auto at = static_cast<size_t>(entities[e]);
    ++targets[0].values[at];
    if (events.has_times()) last[at] = std::max(last[at], events.times[e]);
  }
  if (last.empty()) return targets;
  const int64_t newest = *std::max_element(last.begin(), last.end());
  LeakageTarget& recency = targets.emplace_back(LeakageTarget{"the time of the last event", {}});
  for (const int64_t time : last)
    recency.values.push_back(time == INT64_MIN ? 1e9f : static_cast<float>(static_cast<double>(newest - time) / 86400e6));
  return targets;
}

absl::Status read_side(AttributeSource source, const IdMap& ids, std::span<const int32_t> entities, Dataset& dataset,
                       EntityAttributes& out) {
  if (source.empty() && !source.settings.empty()) {
    const bool item = source.id == Column::kItem;
    return missing_input(std::string("[attributes.") + (item ? "item." : "customer.") + source.settings.begin()->first +
                         "]: no file has such attributes; name one with " + (item ? "--items" : "--customers"));
  }
  if (source.empty()) return absl::OkStatus();
  auto read = read_attributes(source, ids, {}, dataset.report);
  if (!read.ok()) return read.status();
  out = *std::move(read);
  if (out.schema.empty()) return absl::OkStatus();
  const auto targets = targets_of(dataset.events, entities, ids.size());
  const auto suspects = leakage_suspects(out.schema, out.table.rows(), targets);
  out.findings.insert(out.findings.end(), suspects.begin(), suspects.end());
  return absl::OkStatus();
}

}  // namespace

absl::Status read_dataset_attributes(const ReadOptions& options, const std::vector<std::string>& customer_files,
                                     const std::vector<std::string>& item_files, Dataset& dataset) {
  const auto source = [&](const std::vector<std::string>& files, Column id, const std::map<std::string, AttributeSetting>& settings) {
    return AttributeSource{files, nullptr, id, settings, options.columns, options.max_bad_rows, options.block_bytes};
  };
  AttributeSource customers = source(customer_files, Column::kCustomer, options.attribute_settings.customer);
  if (options.store != nullptr) {
    auto stored = StoredAttributes::read(options.store);
    if (!stored.ok()) return stored.status();
    customers.stored = *std::move(stored);
    if (customers.stored->size() > 0) dataset.sources.emplace_back("store/attributes");  // no file has a name like this
  }
  if (absl::Status s = read_side(std::move(customers), dataset.customers, dataset.events.customers, dataset, dataset.customer_attributes);
      !s.ok())
    return s;
  return read_side(source(item_files, Column::kItem, options.attribute_settings.item), dataset.items, dataset.events.items, dataset,
                   dataset.item_attributes);
}

}  // namespace bouquet::training
