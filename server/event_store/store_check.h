// Reads all of a store and looks for what cannot be: entries that do not parse, references to nothing, counts that do not add up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::server {

struct StoreCheck {
  std::string identity;
  uint64_t newest_sequence = 0;
  uint64_t events = 0, customers = 0, items = 0, event_types = 0;
  uint64_t attributes = 0;     // of customers
  uint64_t event_ids = 0;      // remembered; those outside the window that no compaction has met yet included
  uint64_t erasures = 0;       // receipts
  uint64_t merges = 0;         // that hold
  uint64_t answers = 0;        // of which what came with the request is kept; those whose time is over included until a compaction
  uint64_t catalog_items = 0;  // of which calls of the Catalog service have said something
  uint64_t problem_count = 0;
  std::vector<std::string> problems;  // the first kMaxProblems; each says where. No ids of customers are in them

  static constexpr size_t kMaxProblems = 20;
};

// As of now, beside a server or without one; changes nothing. Every block is compared with its checksum. Not seen: what is missing at the
// end of the write-ahead log of a store that nobody has open, which looks as if it had never been written. Errors: NotFound (no store),
// DataLoss (so damaged that it cannot be opened), ResourceExhausted.
absl::StatusOr<StoreCheck> check_store(const std::string& folder);

}  // namespace bouquet::server
