// The customers' histories in a data set or a part of it, merged by the rules of rows, one after the other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/event_rules.h"
#include "training/dataset.h"

namespace bouquet::training {

// Calls take(customer, history) for every customer with an event that counts, by rising customer. item_of(e) is the item that event e
// counts for, in whatever numbering the history shall have, or kNone: it does not count. The history is a
// const std::vector<HistoryEntry>& that lives for the call.
template <typename ItemOf, typename Take>
void for_each_history(const Dataset& dataset, const EventRules& rules, const ItemOf& item_of, const Take& take) {
  const EventLog& log = dataset.events;
  std::vector<Event> events;
  std::vector<HistoryEntry> merged;
  const size_t count = log.customers.size();
  for (size_t begin = 0, end = 0; begin < count; begin = end) {
    events.clear();
    for (; end < count && log.customers[end] == log.customers[begin]; ++end)
      if (const ItemIndex item = item_of(end); item != kNone)
        events.push_back({item, log.has_times() ? log.times[end] : 0, log.values[end], log.types[end]});
    if (log.customers[begin] == kNone || events.empty()) continue;
    merge_events(events, rules, merged);
    take(log.customers[begin], merged);
  }
}

// The same for the events of a part (in_part[e] != 0; empty: all), with the data set's own items.
template <typename Take>
void for_each_history(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules, const Take& take) {
  const auto item_of = [&](size_t e) { return in_part.empty() || in_part[e] ? dataset.events.items[e] : kNone; };
  for_each_history(dataset, rules, item_of, take);
}

}  // namespace bouquet::training
