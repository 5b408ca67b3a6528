// What rows mean: how one customer's events become the weighted pairs that a model learns from. The same code serves training,
// fold-in, serving and explanation, so a rule cannot differ between them. Frozen into the artifact.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/views.h"

namespace bouquet {

// How an event's value becomes part of its confidence.
//   kConstant  1, whatever the value
//   kIdentity  min(|value|, cap)
//   kLog1p     log2(1 + min(|value|, cap)): log1p scaled so that a plain event of value 1 weighs exactly its type's weight
enum class ValueTransform : uint8_t { kConstant = 0, kIdentity = 1, kLog1p = 2 };

struct EventType {
  std::string name;
  float weight = 1;       // > 0
  bool consumes = false;  // a customer who did this has the item: it is not offered again
  bool returns = false;   // gives back what a consuming event took, whatever the sign of its value
  ValueTransform transform = ValueTransform::kLog1p;
  double half_life_days = 0;  // age at which an event weighs half; 0: it never fades
  double value_cap = 0;       // the 99.9th percentile of |value| in the training; 0: no cap
};

struct EventRules {
  std::vector<EventType> types;          // at most 255
  int64_t reference_time = 0;            // T, microseconds since 1970: the newest event of the training
  int32_t max_history = 5000;            // the newest distinct pairs of a customer that count
  double repurchase_half_life_days = 0;  // of the repurchase head; 0: counts do not fade

  // The type's position in `types`, or kNone.
  int32_t find(std::string_view type) const;
};

// purchase (consumes, log1p), view (.1), cart (.3), rating (identity), return (returns, log1p): what is registered without asking.
std::vector<EventType> built_in_event_types();

// Errors: InvalidArgument naming the type and field (weight, half-life, repeated name, more than 255).
absl::Status validate(const EventRules& rules);

// One event of one customer, ids already resolved. Values are not zero (readers drop and count those).
struct Event {
  ItemIndex item = kNone;
  int64_t time = 0;  // microseconds since 1970; 0 where the data have no time
  float value = 1;   // negative: a return
  uint8_t type = 0;  // position in EventRules::types
};

// What a customer's events on one item add up to.
struct HistoryEntry {
  ItemIndex item = kNone;
  float confidence = 0;   // c > 0: sum of weight * transform * 2^(-age / half-life), age = max(0, T - time), over what was not a return
  float target = 1;       // 0 where everything consumed was returned (net <= 0), or only a return is known
  bool consumed = false;  // a consuming event that is not fully returned: excluded from what is offered
  float repurchase = 0;   // sum of 2^(-age / repurchase half-life) over consuming events that are not returns; 0 unless consumed
  int32_t count = 0;      // how many consuming events that are not returns; 0 unless consumed
  // What later events go on from:
  float given = 0;     // the part of `confidence` that is not of returns: all of it, or 0 where nothing but returns is known
  float net = 0;       // quantity consumed less quantity returned
  int64_t newest = 0;  // time of the newest event
};

// Merges `events` of one customer, oldest first (equal times already in their final order), into distinct entries, ascending by
// item. Only the newest max_history distinct items (by their newest event) are kept. `merged` is cleared first.
void merge_events(std::span<const Event> events, const EventRules& rules, std::vector<HistoryEntry>& merged);

// The same on top of `known`, what earlier events were merged into by the same rules: as if all had been merged at once, but for rounding,
// and but for what is no longer known: items that were not kept, and `repurchase` and `count` of what was returned altogether. `known` is
// not in `merged`.
void merge_events(std::span<const HistoryEntry> known, std::span<const Event> events, const EventRules& rules,
                  std::vector<HistoryEntry>& merged);

}  // namespace bouquet
