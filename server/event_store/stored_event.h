// One event as the store has it, and as a caller says it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bouquet::server {

// Counts the customers whom the store has met, from 1. Never given twice: an id that was erased and comes back gets another one.
using CustomerNumber = uint64_t;

// What models do not learn from.
struct EventDetails {
  std::string basket_id;
  std::optional<double> price = std::nullopt;
  std::string recommendation_id;
  std::string placement;

  auto operator<=>(const EventDetails&) const = default;
};

struct StoredEvent {
  uint64_t sequence = 0;  // of its arrival
  int64_t time = 0;       // microseconds since 1970
  int32_t item = 0;       // number of the item's id (EventStore::item_ids)
  int32_t type = 0;       // number of the type's name (EventStore::event_types)
  float value = 1;
  EventDetails details;
};

// An event that arrives. Texts are the caller's, checked (event_intake.h) and alive until the answer.
struct NewEvent {
  std::string_view customer_id;
  std::string_view item_id;
  std::string_view type;
  std::optional<int64_t> time;  // microseconds since 1970; none: when it arrived
  float value = 1;              // finite, not 0
  std::string_view event_id;    // empty: none
  std::string_view basket_id;
  std::optional<double> price;
  std::string_view recommendation_id;
  std::string_view placement;
};

// What became of an event or of a change of attributes.
struct Outcome {
  // Ok: durable. AlreadyExists: the store has other content under this event_id, and keeps it. InvalidArgument: too far in the future.
  // FailedPrecondition: happened before the customer was erased.
  // ResourceExhausted, DataLoss, Internal: could not be written; nothing of it is kept.
  absl::Status status;
  uint64_t sequence = 0;  // where it is Ok: of its arrival, the first one's if it was repeated
  bool repeated = false;  // the store had it already
};

// Whether an outcome is about the row itself: it would be the same another time. Else the store could not.
inline bool is_refusal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAlreadyExists || absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

}  // namespace bouquet::server
