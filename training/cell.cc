#include "training/cell.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bouquet::training {
namespace {

template <typename Number>
std::string shortest(Number value) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

template <typename Elements, typename Text>
std::string joined(const Elements& elements, const Text& text_of) {
  std::string text;
  for (size_t i = 0; i < elements.size(); ++i) text.append(i > 0 ? "|" : "").append(text_of(elements[i]));
  return text;
}

std::string civil(int64_t microseconds) {
  const absl::Time time = absl::FromUnixMicros(microseconds);
  return absl::FormatTime(microseconds % 1000000 == 0 ? "%E4Y-%m-%d %H:%M:%S" : "%E4Y-%m-%d %H:%M:%E6S", time, absl::UTCTimeZone());
}

}  // namespace

std::string cell_text(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kNull: return "";
    case Cell::Kind::kField:
    case Cell::Kind::kText: return std::string(cell.text);
    case Cell::Kind::kInteger: return shortest(cell.integer);
    case Cell::Kind::kUnsigned: return shortest(static_cast<uint64_t>(cell.integer));
    case Cell::Kind::kFloat:
      if (std::fabs(cell.number) < 1e15 && cell.number == std::floor(cell.number)) return shortest(static_cast<int64_t>(cell.number));
      return shortest(cell.number);
    case Cell::Kind::kTime:
    case Cell::Kind::kNaiveTime: return civil(cell.integer);
    case Cell::Kind::kBool: return cell.integer != 0 ? "true" : "false";
    case Cell::Kind::kTexts: return joined(cell.texts(), [](std::string_view text) { return std::string(text); });
    case Cell::Kind::kNumbers: return joined(cell.numbers(), shortest<float>);
    case Cell::Kind::kNested: return "(nested)";
  }
  return "";
}

std::string quoted_for_message(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      out += c;
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escaped;
  }
  return out + (text.size() > kShown ? "...'" : "'");
}

}  // namespace bouquet::training
