#include "engine/version_name.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace bouquet {
namespace {

constexpr std::string_view kShape =
    "dddddddd"
    "T"
    "dddddd"
    "Z-"
    "xxxxxxxx";  // d: a decimal digit, x: a hexadecimal one
constexpr size_t kHashDigits = 8;
constexpr int64_t kLastSecond = 253402300799;  // 9999-12-31T23:59:59Z

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

int64_t second_of(std::string_view name) {
  using namespace std::chrono;
  const year_month_day date(year(number(name.substr(0, 4))), month(static_cast<unsigned>(number(name.substr(4, 2)))),
                            day(static_cast<unsigned>(number(name.substr(6, 2)))));
  const auto time = hours(number(name.substr(9, 2))) + minutes(number(name.substr(11, 2))) + seconds(number(name.substr(13, 2)));
  return duration_cast<seconds>(sys_days(date).time_since_epoch() + time).count();
}

std::string time_text(int64_t second) {
  using namespace std::chrono;
  const sys_seconds time{seconds(second)};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss<seconds> clock(time - midnight);
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace

bool is_version_name(std::string_view name) {
  if (name.size() != kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool fits = kShape[i] == 'd' ? is_digit(name[i]) : kShape[i] == 'x' ? is_hex(name[i]) : name[i] == kShape[i];
    if (!fits) return false;
  }
  // Only a name that this program would have made: 31 February or 25 o'clock would not come back as they went in.
  const int month = number(name.substr(4, 2));
  if (month < 1 || month > 12) return false;
  const int64_t second = second_of(name);
  return second >= 0 && second <= kLastSecond && time_text(second) == name.substr(0, 16);
}

absl::StatusOr<std::string> next_version_name(int64_t now, std::string_view newest, std::string_view content_hash) {
  int64_t second = std::max<int64_t>(0, now / 1'000'000);
  if (!newest.empty()) second = std::max(second, second_of(newest) + 1);
  if (second > kLastSecond) return absl::FailedPreconditionError("no version name is left after " + std::string(newest));
  return time_text(second) + "-" + std::string(content_hash.substr(0, kHashDigits));
}

}  // namespace bouquet
