// The three-way cut of events: fit | select | judge. Settings and the number of epochs are chosen on the select part; the judge
// part is looked at once, for the figures that are reported (docs/evaluation.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "training/dataset.h"

namespace bouquet::training {

enum class ValidationKind { kNone, kLastDays, kLastFraction, kLastEvent, kLastBasket, kRandom };

struct Validation {
  ValidationKind kind = ValidationKind::kNone;
  double size = 0;  // days of kLastDays, fraction of kLastFraction and kRandom

  bool cuts_by_time() const { return kind == ValidationKind::kLastDays || kind == ValidationKind::kLastFraction; }
};

// none, last-days:N (N > 0), last-fraction:F, random:F (0 < F < 0.5), last-event, last-basket. Errors: InvalidArgument.
absl::StatusOr<Validation> parse_validation(std::string_view text);
std::string to_string(const Validation& validation);

enum Part : uint8_t { kFit = 1, kSelect = 2, kJudge = 4 };

struct Split {
  std::vector<uint8_t> part;  // [events] the one Part that each event is in
  int64_t select_time = 0;    // first microsecond of the select part; 0: not cut by time
  int64_t judge_time = 0;     // first microsecond of the judge part; 0: not cut by time

  // Byte per event: 1 where its part is among `parts` (kFit | kSelect, ...).
  std::vector<uint8_t> events_in(int parts) const;
  int64_t count(int parts) const;
};

// Cuts a log that is ordered as Dataset::events promises.
//   last-days:N      judge: the N days that end with the newest event; select: the N days before them
//   last-fraction:F  the same with the newest F of the events; events of one time stay together
//   last-event       judge: each customer's last event; select: the one before it. Where the data have no time, "last" is the
//                    order of the files
//   last-basket      the same with the customer's last two baskets; an event without a basket is one of its own
//   random:F         judge: each event with probability F, by seed; select: the same
// The last three leave each customer at least one event to fit on, taking from select first; anonymous events are all fitted on.
// none puts everything into fit. Errors: FailedPrecondition (a cut by time of data without time, last-basket without baskets, a
// part that stays empty).
absl::StatusOr<Split> split_events(const EventLog& events, const Validation& validation, uint64_t seed);

}  // namespace bouquet::training
