#include "training/split.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/counter_random.h"
#include "engine/errors.h"

namespace bouquet::training {
namespace {

constexpr double kMicrosecondsPerDay = 86400e6;

constexpr struct {
  std::string_view name;
  ValidationKind kind;
  bool sized;
} kKinds[] = {
    {"none", ValidationKind::kNone, false},
    {"last-days", ValidationKind::kLastDays, true},
    {"last-fraction", ValidationKind::kLastFraction, true},
    {"last-event", ValidationKind::kLastEvent, false},
    {"last-basket", ValidationKind::kLastBasket, false},
    {"random", ValidationKind::kRandom, true},
};

absl::Status failed(const std::string& message) { return absl::FailedPreconditionError(message); }

void cut_by_time(const EventLog& events, Split& split) {
  for (size_t e = 0; e < split.part.size(); ++e)
    split.part[e] = events.times[e] >= split.judge_time ? kJudge : events.times[e] >= split.select_time ? kSelect : kFit;
}

void cut_last_days(const EventLog& events, double days, Split& split) {
  const int64_t newest = *std::max_element(events.times.begin(), events.times.end());
  const auto length = static_cast<int64_t>(std::llround(days * kMicrosecondsPerDay));
  split.judge_time = newest - length + 1;
  split.select_time = split.judge_time - length;
  cut_by_time(events, split);
}

void cut_last_fraction(const EventLog& events, double fraction, Split& split) {
  std::vector<int64_t> times = events.times;
  const auto time_at = [&](double share_before) {
    const auto at = std::min(times.size() - 1, static_cast<size_t>(share_before * static_cast<double>(times.size())));
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(at), times.end());
    return times[at];
  };
  split.judge_time = time_at(1 - fraction);
  split.select_time = time_at(1 - 2 * fraction);
  cut_by_time(events, split);
}

// Marks the events [begin, end) of one customer, whose group numbers are `group`, oldest group first: the last group is judged,
// the one before it selects.
template <typename Group>
void cut_last_groups(size_t begin, size_t end, Group group, Split& split) {
  const auto last = group(end - 1);
  size_t at = end;  // one past the newest event outside the last group
  while (at > begin && group(at - 1) == last) --at;
  if (at == begin) return;  // one group only: all of it is fitted on
  const auto before = group(at - 1);
  bool others = false;
  for (size_t e = begin; e < end; ++e) others = others || (group(e) != last && group(e) != before);
  for (size_t e = begin; e < end; ++e)
    if (group(e) == last)
      split.part[e] = kJudge;
    else if (others && group(e) == before)
      split.part[e] = kSelect;
}

void cut_random(size_t begin, size_t end, double fraction, uint64_t seed, Split& split) {
  bool fitted = false;
  size_t keeper = begin;  // stays in fit if chance would leave none
  for (size_t e = begin; e < end; ++e) {
    const double draw = random_unit(seed, e);
    split.part[e] = draw < fraction ? kJudge : draw < 2 * fraction ? kSelect : kFit;
    fitted = fitted || split.part[e] == kFit;
    if (split.part[keeper] == kJudge && split.part[e] == kSelect) keeper = e;
  }
  if (!fitted) split.part[keeper] = kFit;
}

void cut_customer(const EventLog& events, const Validation& validation, uint64_t seed, size_t begin, size_t end, Split& split) {
  if (validation.kind == ValidationKind::kRandom) {
    cut_random(begin, end, validation.size, seed, split);
  } else if (validation.kind == ValidationKind::kLastEvent) {
    cut_last_groups(
        begin, end, [](size_t e) { return static_cast<int64_t>(e); }, split);
  } else {
    // Basket numbers are not negative, so that ~e cannot meet one.
    cut_last_groups(
        begin, end, [&](size_t e) { return events.baskets[e] == kNone ? ~static_cast<int64_t>(e) : int64_t{events.baskets[e]}; }, split);
  }
}

absl::Status check_parts(const Split& split, const std::string& asked) {
  for (const auto& [part, name] : {std::pair{kFit, "fit"}, {kSelect, "select"}, {kJudge, "judge"}})
    if (split.count(part) == 0)
      return failed(asked + ": no event is left in the " + name +
                    " part (the data are cut into fit, select and judge); choose smaller parts, " + "or --validation none");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Validation> parse_validation(std::string_view text) {
  const std::string asked = "--validation '" + std::string(text) + "'";
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  for (const auto& known : kKinds) {
    if (known.name != name) continue;
    if (!known.sized) {
      if (colon != std::string_view::npos) return wrong_usage(asked + ": " + std::string(name) + " takes no number");
      return Validation{known.kind, 0};
    }
    const std::string_view number = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    double size = 0;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), size);
    if (error != std::errc() || rest != number.data() + number.size() || !std::isfinite(size))
      return wrong_usage(asked + ": " + std::string(name) + " needs a number after a colon, such as " + std::string(name) +
                         (known.kind == ValidationKind::kLastDays ? ":7" : ":0.1"));
    if (known.kind == ValidationKind::kLastDays && !(size > 0 && size <= 36525))
      return wrong_usage(asked + ": the number of days must be more than 0 and at most 36525");
    if (known.kind != ValidationKind::kLastDays && !(size > 0 && size < 0.5))
      return wrong_usage(asked + ": the fraction must be more than 0 and less than 0.5: two parts of that size are taken from the data");
    return Validation{known.kind, size};
  }
  return wrong_usage(asked + " is unknown; it takes none, last-days:N, last-fraction:F, last-event, last-basket or random:F");
}

std::string to_string(const Validation& validation) {
  for (const auto& known : kKinds)
    if (known.kind == validation.kind) return std::string(known.name) + (known.sized ? absl::StrFormat(":%g", validation.size) : "");
  return "none";
}

std::vector<uint8_t> Split::events_in(int parts) const {
  std::vector<uint8_t> in(part.size());
  for (size_t e = 0; e < part.size(); ++e) in[e] = (part[e] & parts) != 0;
  return in;
}

int64_t Split::count(int parts) const {
  return std::count_if(part.begin(), part.end(), [&](uint8_t p) { return (p & parts) != 0; });
}

absl::StatusOr<Split> split_events(const EventLog& events, const Validation& validation, uint64_t seed) {
  Split split{.part = std::vector<uint8_t>(static_cast<size_t>(events.size()), kFit)};
  const std::string asked = "--validation " + to_string(validation);
  if (validation.kind == ValidationKind::kNone) return split;
  if (events.size() == 0) return failed(asked + ": there are no events to cut");
  if (validation.cuts_by_time() && !events.has_times())
    return failed(asked + " cuts by time, but the events have none: name their column with --columns time=..., or use random:0.1");
  if (validation.kind == ValidationKind::kLastBasket && !events.has_baskets())
    return failed(asked + ": the events have no baskets; name their column with --columns basket=..., or use last-event");
  if (validation.kind == ValidationKind::kLastDays) {
    cut_last_days(events, validation.size, split);
  } else if (validation.kind == ValidationKind::kLastFraction) {
    cut_last_fraction(events, validation.size, split);
  } else {
    for (size_t begin = 0, end = 0; begin < split.part.size(); begin = end) {
      while (end < split.part.size() && events.customers[end] == events.customers[begin]) ++end;
      if (events.customers[begin] != kNone) cut_customer(events, validation, seed, begin, end, split);
    }
  }
  if (absl::Status status = check_parts(split, asked); !status.ok()) return status;
  return split;
}

}  // namespace bouquet::training
