#include "engine/attribute_elements.h"

#include <charconv>
#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

constexpr double kLargestExact = 9007199254740992.0;  // 2^53

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 60)) + (text.size() > 60 ? "...'" : "'"); }

}  // namespace

std::string_view category_text(const AttributeValue& value, std::array<char, 32>& digits) {
  if (value.kind == AttributeValue::Kind::kFlag) return value.number != 0 ? "true" : "false";
  if (value.kind != AttributeValue::Kind::kNumber) return value.text;
  const double number = value.number;
  const bool whole = std::fabs(number) <= kLargestExact && number == std::floor(number);
  char* const end = digits.data() + digits.size();
  const auto written = whole ? std::to_chars(digits.data(), end, static_cast<int64_t>(number)) : std::to_chars(digits.data(), end, number);
  return {digits.data(), static_cast<size_t>(written.ptr - digits.data())};
}

absl::Status SetElements::read(const AttributeValue& value, bool weighted) {
  elements_.clear();
  if (value.kind == AttributeValue::Kind::kTexts) {
    for (const std::string_view text : value.texts)
      if (absl::Status s = add(text, weighted); !s.ok()) return s;
    return absl::OkStatus();
  }
  std::string_view rest = value.text;
  for (;;) {
    const size_t bar = rest.find('|');
    if (absl::Status s = add(rest.substr(0, bar), weighted); !s.ok()) return s;
    if (bar == std::string_view::npos) return absl::OkStatus();
    rest.remove_prefix(bar + 1);
  }
}

absl::Status SetElements::add(std::string_view text, bool weighted) {
  Element element{without_spaces(text), 1};
  if (element.text.empty()) return absl::OkStatus();
  if (element.text.size() > kMaxCategoryBytes)
    return wrong_usage("an element of the set has " + std::to_string(element.text.size()) + " bytes; 64 KiB are the most");
  if (weighted) {
    const std::string_view whole = element.text;
    const size_t colon = whole.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong_usage(quoted(whole) + " is not of the form word:weight");
    const std::string_view digits = without_spaces(whole.substr(colon + 1));
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), element.weight);
    const bool read = error == std::errc() && at == digits.data() + digits.size();
    if (!read || !(element.weight > 0 && element.weight <= kMaxSetWeight))
      return wrong_usage(quoted(whole) + " has a weight that is no number of more than 0, or one above 1e30");
    element.text = without_spaces(whole.substr(0, colon));
  }
  elements_.push_back(element);
  return absl::OkStatus();
}

}  // namespace bouquet
