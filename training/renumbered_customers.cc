#include "training/renumbered_customers.h"

#include <string>
#include <utility>
#include <vector>

namespace bouquet::training {

void renumber_customers(Dataset& dataset) {
  std::vector<bool> has_events(static_cast<size_t>(dataset.customers.size()), false);
  for (const CustomerIndex c : dataset.events.customers)
    if (c != kNone) has_events[static_cast<size_t>(c)] = true;
  IdMap left;
  std::vector<CustomerIndex> number(has_events.size(), kNone);
  for (size_t c = 0; c < has_events.size(); ++c)
    if (has_events[c]) number[c] = left.add(dataset.customers.id(static_cast<CustomerIndex>(c)));
  for (CustomerIndex& c : dataset.events.customers)
    if (c != kNone) c = number[static_cast<size_t>(c)];
  dataset.customers = std::move(left);
  std::erase_if(dataset.report.suspected_robots, [&](const std::string& id) { return dataset.customers.find(id) == kNone; });
}

}  // namespace bouquet::training
