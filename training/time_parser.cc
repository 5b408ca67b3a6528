#include "training/time_parser.h"

#include <charconv>
#include <cmath>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

constexpr int64_t kMicroseconds = 1000000;
constexpr int64_t kLastSecond = 253402300799;   // the end of the year 9999
constexpr int64_t kFirstSecond = -62135596800;  // the start of the year 1
constexpr const char* kNotATime = "is not a time (RFC 3339, YYYY-MM-DD HH:MM:SS, or Unix seconds)";
constexpr const char* kTooFar = "is past the year 9999: times are Unix seconds, are these milliseconds?";

// Days since 1970-01-01 in the proleptic Gregorian calendar: years start in March, 400 years have 146097 days.
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t days_in_month(int64_t year, int64_t month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Walks over the text; every take_ fails for good once one has failed.
struct Cursor {
  const char* at;
  const char* end;
  bool good = true;

  size_t left() const { return static_cast<size_t>(end - at); }
  bool next_is(char c) const { return at < end && *at == c; }
  bool next_is_digit() const { return at < end && *at >= '0' && *at <= '9'; }
  void expect(char c) {
    good = good && next_is(c);
    if (good) ++at;
  }
  int64_t digits(int count) {
    int64_t value = 0;
    for (int i = 0; i < count && good; ++i, ++at) {
      good = next_is_digit();
      if (!good) return 0;
      value = value * 10 + (*at - '0');
    }
    return value;
  }
  int64_t fraction() {  // microseconds; more digits are cut off
    int64_t value = 0, unit = kMicroseconds / 10;
    good = good && next_is_digit();
    for (; next_is_digit(); ++at, unit /= 10) value += (*at - '0') * unit;
    return value;
  }
  // `Z`, `+02:00`, `+0200` or `+02`, in seconds. Sets `present`.
  int64_t offset(bool& present) {
    if (next_is('Z') || next_is('z')) {
      ++at;
      present = true;
      return 0;
    }
    if (!next_is('+') && !next_is('-')) return 0;
    const int64_t sign = *at++ == '-' ? -1 : 1;
    present = true;
    const int64_t hours = digits(2);
    if (next_is(':')) ++at;
    const int64_t minutes = next_is_digit() ? digits(2) : 0;
    good = good && hours < 24 && minutes < 60;
    return sign * (hours * 3600 + minutes * 60);
  }
};

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

absl::StatusOr<TimeParser> TimeParser::for_zone(const std::string& zone) {
  TimeParser parser;
  if (zone.empty() || zone == "UTC") return parser;
  if (!absl::LoadTimeZone(zone, &parser.zone_))
    return wrong_usage("time zone '" + zone + "' is not known here; it takes an IANA name such as Europe/Berlin (package tzdata)");
  parser.utc_ = false;
  return parser;
}

int64_t TimeParser::from_naive(int64_t wall_microseconds) {
  if (utc_) return wall_microseconds;
  int64_t minute = wall_microseconds / (60 * kMicroseconds);
  if (wall_microseconds % (60 * kMicroseconds) < 0) --minute;
  if (minute != last_minute_) {
    const absl::CivilSecond civil = absl::CivilSecond(1970, 1, 1) + minute * 60;
    last_offset_ = minute * 60 - absl::ToUnixSeconds(zone_.At(civil).pre);
    last_minute_ = minute;
  }
  return wall_microseconds - last_offset_ * kMicroseconds;
}

const char* TimeParser::from_seconds(int64_t seconds, int64_t& microseconds) const {
  if (seconds > kLastSecond || seconds < kFirstSecond) return kTooFar;
  microseconds = seconds * kMicroseconds;
  return nullptr;
}

const char* TimeParser::from_seconds(double seconds, int64_t& microseconds) const {
  if (!std::isfinite(seconds)) return kNotATime;
  if (seconds > static_cast<double>(kLastSecond) || seconds < static_cast<double>(kFirstSecond)) return kTooFar;
  microseconds = std::llround(seconds * static_cast<double>(kMicroseconds));
  return nullptr;
}

const char* TimeParser::parse_civil(std::string_view text, int64_t& microseconds) {
  Cursor cursor{text.data(), text.data() + text.size()};
  const int64_t year = cursor.digits(4);
  cursor.expect('-');
  const int64_t month = cursor.digits(2);
  cursor.expect('-');
  const int64_t day = cursor.digits(2);
  if (!cursor.good) return kNotATime;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || year < 1) return "is no day of the calendar";
  int64_t seconds = days_from_civil(year, month, day) * 86400;
  int64_t fraction = 0;
  bool has_offset = false;
  if (cursor.left() > 0) {
    if (!cursor.next_is(' ') && !cursor.next_is('T') && !cursor.next_is('t')) return kNotATime;
    ++cursor.at;
    const int64_t hour = cursor.digits(2);
    cursor.expect(':');
    const int64_t minute = cursor.digits(2);
    int64_t second = 0;
    if (cursor.good && cursor.next_is(':')) {
      ++cursor.at;
      second = cursor.digits(2);
      if (cursor.next_is('.')) ++cursor.at, fraction = cursor.fraction();
    }
    if (cursor.next_is(' ') && cursor.left() > 1) ++cursor.at;  // `2020-01-01 10:00:00 +00:00`
    const int64_t offset = cursor.offset(has_offset);
    if (!cursor.good || cursor.left() > 0) return kNotATime;
    if (hour > 23 || minute > 59 || second > 60) return "is no time of day";
    seconds += hour * 3600 + minute * 60 + second - offset;
  }
  const int64_t wall = seconds * kMicroseconds + fraction;
  microseconds = has_offset ? wall : from_naive(wall);
  return nullptr;
}

const char* TimeParser::parse(std::string_view text, int64_t& microseconds) {
  text = without_spaces(text);
  if (text.size() >= 10 && text[4] == '-') return parse_civil(text, microseconds);
  int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc() && at == end)
    return from_seconds(whole, microseconds);
  double seconds = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, seconds); error == std::errc() && at == end)
    return from_seconds(seconds, microseconds);
  return kNotATime;
}

}  // namespace bouquet::training
