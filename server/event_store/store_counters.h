// What the event store numbers next, written with every group commit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

struct StoreCounters {
  uint64_t sequence = 0;       // of the newest arrival
  uint64_t last_customer = 0;  // the number given last
  uint64_t events = 0;         // stored now
  uint64_t customers = 0;      // stored now
};

inline constexpr std::string_view kCountersKey = "counters";

// Errors: DataLoss. All 0 in a store without events.
absl::StatusOr<StoreCounters> read_counters(const StoreDatabase& database);
std::string encode(const StoreCounters& counters);

}  // namespace bouquet::server
