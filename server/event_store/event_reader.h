// Reads events back, in an order that depends on what happened and not on how it arrived.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "server/event_store/name_table.h"
#include "server/event_store/store_database.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct EventRange {
  uint64_t after_sequence = 0;                               // those that arrived later
  int64_t after_time = std::numeric_limits<int64_t>::min();  // microseconds since 1970: those that happened later
  uint64_t up_to_sequence = std::numeric_limits<uint64_t>::max();
  int64_t up_to_time = std::numeric_limits<int64_t>::max();  // microseconds since 1970, inclusive
};

// Thread-safe. One call sees the store as it was when the call began.
class EventReader {
 public:
  // Both outlive the reader.
  EventReader(const StoreDatabase& database, const NameTable& items, const NameTable& types)
      : database_(database), items_(items), types_(types) {}

  // Those of one customer in the range, in the canonical order: by time, item id, type, value, details; only copies that agree in all of
  // that stand by arrival. `out` is cleared first. Errors: DataLoss, ResourceExhausted.
  absl::Status events_of(CustomerNumber customer, const EventRange& range, std::vector<StoredEvent>& out) const;

  // Brings events of several customers into that order.
  void sort(std::span<StoredEvent> events) const;

  // Customer by customer, by number, with at least one event in the range; their events as events_of has them, valid during the call.
  // Until `take` says false. Reads all events, whatever the range: a scan for what came after a sequence takes as long as one for
  // everything.
  absl::Status scan(const EventRange& range, const std::function<bool(CustomerNumber, std::span<const StoredEvent>)>& take) const;

 private:
  void put_in_order(std::span<StoredEvent> events) const;

  const StoreDatabase& database_;
  const NameTable& items_;
  const NameTable& types_;
};

}  // namespace bouquet::server
