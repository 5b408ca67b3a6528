#include "training/erased_customers.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "engine/emptied_rows.h"
#include "training/renumbered_customers.h"

namespace bouquet::training {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

template <typename T>
void keep_marked(const std::vector<bool>& keep, std::vector<T>& column) {
  if (column.empty()) return;
  size_t at = 0;
  for (size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) column[at++] = column[i];
  column.resize(at);
}

// When each customer was erased. Empty: nobody was.
std::vector<int64_t> erase_times(const EventSource& store, const IdMap& customers) {
  std::vector<int64_t> times(static_cast<size_t>(customers.size()), kNever);
  bool any = false;
  for (CustomerIndex c = 0; c < customers.size(); ++c)
    if (const auto erasure = store.erasure_of(customers.id(c))) {
      times[static_cast<size_t>(c)] = erasure->time;
      any = true;
    }
  return any ? times : std::vector<int64_t>();
}

}  // namespace

void leave_out_erased(const EventSource& store, Dataset& dataset) {
  const std::vector<int64_t> erased_at = erase_times(store, dataset.customers);
  if (erased_at.empty()) return;
  EventLog& events = dataset.events;
  std::vector<bool> keep(events.customers.size(), true);
  for (size_t e = 0; e < keep.size(); ++e) {
    const CustomerIndex c = events.customers[e];
    keep[e] = c == kNone || events.times[e] > erased_at[static_cast<size_t>(c)];
    dataset.report.erased += keep[e] ? 0 : 1;
  }
  keep_marked(keep, events.customers);
  keep_marked(keep, events.items);
  keep_marked(keep, events.times);
  keep_marked(keep, events.values);
  keep_marked(keep, events.types);
  keep_marked(keep, events.baskets);
  renumber_customers(dataset);
  dataset.report.events = events.size();
}

absl::StatusOr<int64_t> empty_rows_erased_since(const EventSource& store, uint64_t since, Artifact& artifact) {
  std::vector<CustomerIndex> gone;
  for (CustomerIndex c = 0; c < artifact.customer_ids.size(); ++c)
    if (const auto erasure = store.erasure_of(artifact.customer_ids.id(c)); erasure && erasure->sequence > since) gone.push_back(c);
  const auto apart = store.taken_apart_since(since);
  if (!apart.ok()) return apart.status();
  for (const std::string& id : *apart)
    if (const CustomerIndex c = artifact.customer_ids.find(id); c != kNone) gone.push_back(c);
  std::ranges::sort(gone);
  gone.erase(std::ranges::unique(gone).begin(), gone.end());
  if (!gone.empty()) empty_customer_rows(gone, artifact);
  return static_cast<int64_t>(gone.size());
}

}  // namespace bouquet::training
