#include "engine/event_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "engine/errors.h"

namespace bouquet {
namespace {

constexpr double kMicrosecondsPerDay = 86400e6;

double decay(int64_t time, int64_t reference_time, double half_life_days) {
  if (half_life_days <= 0) return 1;
  const double age_days = std::max<double>(0, static_cast<double>(reference_time - time)) / kMicrosecondsPerDay;
  return std::exp2(-age_days / half_life_days);
}

double transformed(const EventType& type, double value) {
  double size = std::fabs(value);
  if (type.value_cap > 0) size = std::min(size, type.value_cap);
  switch (type.transform) {
    case ValueTransform::kConstant: return 1;
    case ValueTransform::kIdentity: return size;
    case ValueTransform::kLog1p: return std::log2(1 + size);
  }
  return 1;
}

// The sums over one customer's events on one item.
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
  explicit PairSums(const HistoryEntry& known)
      : given(known.given),
        returned(known.given > 0 ? 0 : known.confidence),
        net(known.net),
        repurchase(known.repurchase),
        count(known.count),
        consuming(known.consumed),
        returning(known.target == 0),
        newest(known.newest) {}

  void add(const Event& event, const EventRules& rules) {
    const EventType& type = rules.types[event.type];
    newest = std::max(newest, event.time);
    const double weight = type.weight * transformed(type, event.value) * decay(event.time, rules.reference_time, type.half_life_days);
    if (type.returns || event.value < 0) {
      returned += weight;
      returning = true;
      net -= std::fabs(event.value);
      return;
    }
    given += weight;
    if (!type.consumes) return;
    consuming = true;
    net += event.value;
    ++count;
    repurchase += decay(event.time, rules.reference_time, rules.repurchase_half_life_days);
  }

  HistoryEntry entry(ItemIndex item) const {
    const bool taken_back = returning && net <= 0;
    HistoryEntry e;
    e.item = item;
    e.confidence = static_cast<float>(given > 0 ? given : returned);
    // Far past its half-life a weight may round to nothing; a pair still needs a positive one.
    e.confidence = std::max(e.confidence, 1e-30f);
    e.target = taken_back ? 0.0f : 1.0f;
    e.consumed = consuming && !taken_back;
    e.repurchase = e.consumed ? static_cast<float>(repurchase) : 0;
    e.count = e.consumed ? count : 0;
    e.given = given > 0 ? e.confidence : 0;
    e.net = static_cast<float>(net);
    e.newest = newest;
    return e;
  }
};

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
