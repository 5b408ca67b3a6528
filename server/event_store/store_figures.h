// How much a store holds, and making it smaller.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

struct StoreFigures {
  uint64_t events = 0, customers = 0, items = 0, event_types = 0;
  uint64_t merges = 0;            // that hold
  uint64_t answers = 0;           // of which what came with the request is kept; those whose time is over included until a compaction
  uint64_t newest_sequence = 0;   // of events, changes of attributes, erasures and merges
  uint64_t event_id_seconds = 0;  // how long an event id is remembered
  uint64_t table_bytes = 0;       // of sorted files
  uint64_t log_bytes = 0;         // of the write-ahead log: what is not in sorted files yet, and what is about to be dropped
  int64_t oldest_time = 0;        // of the events, by their own time, microseconds since 1970; 0 both where there is none
  int64_t newest_time = 0;

  uint64_t bytes() const { return table_bytes + log_bytes; }
};

// Of a server's database or of a snapshot; reads the keys of all events and answers (about a second for a million). `stop` turned true ends
// it early with Cancelled. Errors: DataLoss, ResourceExhausted.
absl::StatusOr<StoreFigures> read_figures(const StoreDatabase& database, const std::atomic<bool>* stop = nullptr);

// Of sorted files.
uint64_t table_bytes(const StoreDatabase& database);

// Writes everything anew, without what was deleted or has expired; calls go on meanwhile. Needs as much room as the store takes. `stop`
// turned true ends it early with Cancelled; what is done stays. Errors: ResourceExhausted (no room: nothing is begun then), DataLoss.
absl::Status compact(StoreDatabase& database, std::atomic<bool>* stop = nullptr);

}  // namespace bouquet::server
