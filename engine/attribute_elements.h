// How the values of categories and sets are read: one code for fitting a schema and for encoding by it.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_value.h"

namespace bouquet {

inline constexpr float kMaxSetWeight = 1e30f;  // so that sums stay finite

// The text of a category: text as it is, a flag as true or false, a number in its shortest form, whole ones without a point. Written
// into `digits` where it must be made.
std::string_view category_text(const AttributeValue& value, std::array<char, 32>& digits);

// The elements of one set.
class SetElements {
 public:
  struct Element {
    std::string_view text;
    float weight = 1;
  };

  // Reads a list, or text whose elements stand apart by `|`; spaces around an element are taken off, and empty ones left out. If
  // `weighted`, an element is `text:weight` with a weight of more than 0 and up to 1e30; the last colon counts. Errors: InvalidArgument,
  // with what is wrong and the element. Allocates nothing once it has seen a set as large.
  absl::Status read(const AttributeValue& value, bool weighted);

  // Of the set read last, in its order, as often as they occur. Point into the value.
  std::span<const Element> elements() const { return elements_; }

 private:
  absl::Status add(std::string_view text, bool weighted);
  std::vector<Element> elements_;
};

}  // namespace bouquet
