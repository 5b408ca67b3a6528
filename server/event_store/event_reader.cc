#include "server/event_store/event_reader.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/scan_options.h"

namespace bouquet::server {
namespace {

bool holds(const EventRange& range, std::string_view key) {
  const uint64_t sequence = sequence_of_key(key);
  const int64_t time = time_of_key(key);
  return sequence > range.after_sequence && sequence <= range.up_to_sequence && time > range.after_time && time <= range.up_to_time;
}

absl::Status damaged() { return bad_input("the store: an event is damaged"); }

// Appends the event at the key if the range holds it.
absl::Status read_event(const rocksdb::Iterator& at, const EventRange& range, std::vector<StoredEvent>& out) {
  const std::string_view key = at.key().ToStringView();
  if (!holds(range, key)) return absl::OkStatus();
  StoredEvent& event = out.emplace_back();
  if (!parse_event_value(at.value().ToStringView(), event)) return damaged();
  event.time = time_of_key(key);
  event.sequence = sequence_of_key(key);
  return absl::OkStatus();
}

}  // namespace

void EventReader::put_in_order(std::span<StoredEvent> events) const {
  const auto tied = [](const StoredEvent& a, const StoredEvent& b) { return a.time == b.time; };
  auto begin = std::adjacent_find(events.begin(), events.end(), tied);
  if (begin == events.end()) return;
  const NameTable::Reading items(items_), types(types_);
  const auto less = [&](const StoredEvent& a, const StoredEvent& b) {
    if (a.item != b.item) return items.name(a.item) < items.name(b.item);
    if (a.type != b.type) return types.name(a.type) < types.name(b.type);
    if (a.value != b.value) return a.value < b.value;
    return a.details != b.details ? a.details < b.details : a.sequence < b.sequence;
  };
  while (begin != events.end()) {
    const auto end = std::find_if(begin, events.end(), [&](const StoredEvent& event) { return !tied(*begin, event); });
    std::sort(begin, end, less);
    begin = std::adjacent_find(end, events.end(), tied);
  }
}

void EventReader::sort(std::span<StoredEvent> events) const {
  std::ranges::sort(events, {}, &StoredEvent::time);
  put_in_order(events);
}

absl::Status EventReader::events_of(CustomerNumber customer, const EventRange& range, std::vector<StoredEvent>& out) const {
  out.clear();
  rocksdb::ReadOptions options;
  options.prefix_same_as_start = true;
  const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator(options, database_.family(Family::kEvents)));
  for (at->Seek(event_key(customer, range.after_time, 0)); at->Valid(); at->Next()) {
    if (at->key().size() != kEventKeyBytes) return damaged();
    if (time_of_key(at->key().ToStringView()) > range.up_to_time) break;
    if (absl::Status s = read_event(*at, range, out); !s.ok()) return s;
  }
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  put_in_order(out);
  return absl::OkStatus();
}

absl::Status EventReader::scan(const EventRange& range,
                               const std::function<bool(CustomerNumber, std::span<const StoredEvent>)>& take) const {
  const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator(scan_options(), database_.family(Family::kEvents)));
  std::vector<StoredEvent> events;
  CustomerNumber customer = 0;
  const auto give = [&] {
    put_in_order(events);
    const bool more = events.empty() || take(customer, events);
    events.clear();
    return more;
  };
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    if (at->key().size() != kEventKeyBytes) return damaged();
    const CustomerNumber next = customer_of_key(at->key().ToStringView());
    if (next != customer && !give()) return absl::OkStatus();
    customer = next;
    if (absl::Status s = read_event(*at, range, events); !s.ok()) return s;
  }
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  give();
  return absl::OkStatus();
}

}  // namespace bouquet::server
