// The sums behind one pair of a history, while events or other sums are added to it. For what merges histories alone.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/event_rules.h"

namespace bouquet {

// Over one customer's events on one item.
struct PairSums {
  double given = 0;     // confidence of what was not a return
  double returned = 0;  // confidence of returns
  double net = 0;       // consumed quantity less returned quantity
  double repurchase = 0;
  int32_t count = 0;  // consuming events
  bool consuming = false, returning = false;
  int64_t newest = std::numeric_limits<int64_t>::min();

  PairSums() = default;
  // Whether something was returned matters only where no more was consumed than that, and then it is known or yet to come.
  explicit PairSums(const HistoryEntry& known);

  void add(const Event& event, const EventRules& rules);
  // Other events of the same customer and item.
  void add(const PairSums& other);

  HistoryEntry entry(ItemIndex item) const;
};

}  // namespace bouquet
