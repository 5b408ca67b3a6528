// One attribute of one customer or item as the outside world states it, before a schema makes numbers of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bouquet {

enum class AttributeType : uint8_t { kNumber, kCategory, kSet, kFlag, kText, kVector };
inline constexpr int kAttributeTypeCount = 6;

std::string_view attribute_type_name(AttributeType type);  // number, category, set, flag, text, vector

inline constexpr size_t kMaxCategoryBytes = size_t{64} << 10;      // of a category, and of an element of a set
inline constexpr size_t kMaxAttributeTextBytes = size_t{1} << 20;  // of a text, and of a set written as one text

// Text and arrays are borrowed. Missing is not zero, not false and not an empty list; empty text is missing.
struct AttributeValue {
  enum class Kind : uint8_t {
    kMissing,
    kNumber,  // `number`
    kFlag,    // `number`: 0 or 1
    kText,    // `text`
    kTexts,   // `texts`: a list, which may be empty
    kVector,  // `vector`
  };
  Kind kind = Kind::kMissing;
  double number = 0;
  std::string_view text = {};
  std::span<const std::string_view> texts = {};
  std::span<const float> vector = {};

  static AttributeValue of_number(double number) { return {.kind = Kind::kNumber, .number = number}; }
  static AttributeValue of_flag(bool flag) { return {.kind = Kind::kFlag, .number = flag ? 1.0 : 0.0}; }
  static AttributeValue of_text(std::string_view text) { return {.kind = Kind::kText, .text = text}; }
  static AttributeValue of_texts(std::span<const std::string_view> texts) { return {.kind = Kind::kTexts, .texts = texts}; }
  static AttributeValue of_vector(std::span<const float> vector) { return {.kind = Kind::kVector, .vector = vector}; }

  bool is_missing() const { return kind == Kind::kMissing || (kind == Kind::kText && text.empty()); }
};

}  // namespace bouquet
