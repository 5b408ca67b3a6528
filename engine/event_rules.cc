#include "engine/event_rules.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/errors.h"
#include "engine/pair_sums.h"

namespace bouquet {
namespace {

// Leaves the `limit` entries whose newest events are the latest; of equal times, those that stand later in `last`, then the later items.
void keep_newest(std::span<const int32_t> last, size_t limit, std::vector<HistoryEntry>& merged) {
  if (merged.size() <= limit) return;
  using Age = std::tuple<int64_t, int32_t, ItemIndex>;
  const auto age = [&](size_t i) { return Age{merged[i].newest, last[i], merged[i].item}; };
  std::vector<Age> ages;
  ages.reserve(merged.size());
  for (size_t i = 0; i < merged.size(); ++i) ages.push_back(age(i));
  std::nth_element(ages.begin(), ages.begin() + static_cast<std::ptrdiff_t>(limit) - 1, ages.end(), std::greater<>());
  const Age oldest_kept = ages[limit - 1];
  size_t out = 0;
  for (size_t i = 0; i < merged.size(); ++i)
    if (age(i) >= oldest_kept) merged[out++] = merged[i];
  merged.resize(out);
}

}  // namespace

int32_t EventRules::find(std::string_view type) const {
  for (size_t i = 0; i < types.size(); ++i)
    if (types[i].name == type) return static_cast<int32_t>(i);
  return kNone;
}

std::vector<EventType> built_in_event_types() {
  return {
      {.name = "purchase", .weight = 1, .consumes = true},
      {.name = "view", .weight = 0.1f, .transform = ValueTransform::kConstant},
      {.name = "cart", .weight = 0.3f},
      {.name = "rating", .weight = 1, .transform = ValueTransform::kIdentity},
      {.name = "return", .weight = 1, .returns = true},
  };
}

absl::Status validate(const EventRules& rules) {
  if (rules.types.empty() || rules.types.size() > 255) return wrong_usage("between 1 and 255 event types must be registered");
  if (rules.max_history < 1) return wrong_usage("max-history is " + std::to_string(rules.max_history) + "; it must be at least 1");
  if (!(rules.repurchase_half_life_days >= 0) || !std::isfinite(rules.repurchase_half_life_days))
    return wrong_usage("the repurchase half-life must be 0 days or more");
  for (size_t i = 0; i < rules.types.size(); ++i) {
    const EventType& type = rules.types[i];
    const std::string at = "event type '" + type.name + "': ";
    if (type.name.empty() || type.name.size() > 64) return wrong_usage(at + "its name must have 1 to 64 bytes");
    if (!(type.weight > 0) || !std::isfinite(type.weight)) return wrong_usage(at + "its weight must be more than 0");
    if (!(type.half_life_days >= 0) || !std::isfinite(type.half_life_days)) return wrong_usage(at + "its half_life must be 0 days or more");
    if (!(type.value_cap >= 0) || !std::isfinite(type.value_cap)) return wrong_usage(at + "its value cap must be 0 or more");
    if (type.transform > ValueTransform::kLog1p) return wrong_usage(at + "its transform is unknown");
    if (rules.find(type.name) != static_cast<int32_t>(i)) return wrong_usage(at + "it is registered twice");
  }
  return absl::OkStatus();
}

void merge_events(std::span<const Event> events, const EventRules& rules, std::vector<HistoryEntry>& merged) {
  merge_events({}, events, rules, merged);
}

void merge_events(std::span<const HistoryEntry> known, std::span<const Event> events, const EventRules& rules,
                  std::vector<HistoryEntry>& merged) {
  merged.clear();
  // Events by item; within one item they keep their order, so the last one of a run is its newest.
  thread_local std::vector<int32_t> order;
  order.resize(events.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return events[static_cast<size_t>(a)].item != events[static_cast<size_t>(b)].item
               ? events[static_cast<size_t>(a)].item < events[static_cast<size_t>(b)].item
               : a < b;
  });
  thread_local std::vector<int32_t> last;  // position of each merged entry's newest event, or kNone
  last.clear();
  auto old = known.begin();
  const auto take_known = [&] {
    merged.push_back(*old++);
    last.push_back(kNone);
  };
  for (size_t begin = 0; begin < order.size();) {
    const ItemIndex item = events[static_cast<size_t>(order[begin])].item;
    while (old != known.end() && old->item < item) take_known();
    PairSums sums = old != known.end() && old->item == item ? PairSums(*old++) : PairSums();
    size_t end = begin;
    for (; end < order.size() && events[static_cast<size_t>(order[end])].item == item; ++end)
      sums.add(events[static_cast<size_t>(order[end])], rules);
    merged.push_back(sums.entry(item));
    last.push_back(order[end - 1]);
    begin = end;
  }
  while (old != known.end()) take_known();
  keep_newest(last, static_cast<size_t>(rules.max_history), merged);
}

}  // namespace bouquet
