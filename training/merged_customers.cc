#include "training/merged_customers.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "training/renumbered_customers.h"

namespace bouquet::training {
namespace {

// Whose events each customer's are, and who has those of several; roots that have no events of their own are added to `customers`. Empty:
// nobody is merged.
struct Owners {
  std::vector<CustomerIndex> of;
  std::vector<bool> joined;
};

Owners owners_of(const EventSource& store, IdMap& customers) {
  Owners owners;
  bool any = false;
  const CustomerIndex before = customers.size();
  for (CustomerIndex c = 0; c < before; ++c) {
    const std::string root = store.root_of(customers.id(c));
    const bool merged = root != customers.id(c);
    owners.of.push_back(merged ? customers.add(root) : c);
    any = any || merged;
  }
  if (!any) return {};
  owners.joined.resize(static_cast<size_t>(customers.size()));
  for (CustomerIndex c = 0; c < before; ++c)
    if (const auto at = static_cast<size_t>(c); owners.of[at] != c) owners.joined[static_cast<size_t>(owners.of[at])] = true;
  return owners;
}

std::vector<uint32_t> order_of(const Dataset& dataset, const std::vector<bool>& joined) {
  const EventLog& events = dataset.events;
  std::vector<uint32_t> order(events.customers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) {
    const CustomerIndex customer = events.customers[a];
    if (customer != events.customers[b]) return customer < events.customers[b];
    if (customer == kNone || !joined[static_cast<size_t>(customer)]) return false;
    if (events.has_times() && events.times[a] != events.times[b]) return events.times[a] < events.times[b];
    if (events.items[a] != events.items[b]) return dataset.items.id(events.items[a]) < dataset.items.id(events.items[b]);
    return events.types[a] != events.types[b] ? events.types[a] < events.types[b] : events.values[a] < events.values[b];
  });
  return order;
}

template <typename T>
void put_in_order(const std::vector<uint32_t>& order, std::vector<T>& column) {
  if (column.empty()) return;
  std::vector<T> sorted;
  sorted.reserve(column.size());
  for (const uint32_t at : order) sorted.push_back(column[at]);
  column = std::move(sorted);
}

}  // namespace

void join_merged(const EventSource& store, Dataset& dataset) {
  const Owners owners = owners_of(store, dataset.customers);
  if (owners.of.empty()) return;
  EventLog& events = dataset.events;
  for (CustomerIndex& c : events.customers)
    if (c != kNone) c = owners.of[static_cast<size_t>(c)];
  const std::vector<uint32_t> order = order_of(dataset, owners.joined);
  put_in_order(order, events.customers);
  put_in_order(order, events.items);
  put_in_order(order, events.times);
  put_in_order(order, events.values);
  put_in_order(order, events.types);
  put_in_order(order, events.baskets);
  renumber_customers(dataset);
}

}  // namespace bouquet::training
