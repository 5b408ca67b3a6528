#include "training/attribute_cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "training/cell_values.h"

namespace bouquet::training {
namespace {

using Kind = Cell::Kind;

bool is_text(const Cell& cell) { return cell.kind == Kind::kField || cell.kind == Kind::kText; }
bool is_list(const Cell& cell) { return cell.kind == Kind::kTexts || cell.kind == Kind::kNumbers || cell.kind == Kind::kNested; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) { return std::tolower(x) == y; });
}

const char* read_flag(const Cell& cell, AttributeValue& value) {
  constexpr std::array<std::pair<std::string_view, bool>, 6> kWords = {
      {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"1", true}, {"0", false}}};
  if (cell.kind == Kind::kBool) return value = AttributeValue::of_flag(cell.integer != 0), nullptr;
  double number = 0;
  if (is_text(cell)) {
    for (const auto& [word, flag] : kWords)
      if (same_word(cell.text, word)) return value = AttributeValue::of_flag(flag), nullptr;
  } else if (read_number(cell, number) == nullptr && (number == 0 || number == 1)) {
    return value = AttributeValue::of_flag(number != 0), nullptr;
  }
  return "is neither true nor false";
}

// The cell as one text.
const char* read_plain_text(const Cell& cell, TextArena& arena, std::string_view& text) {
  if (is_list(cell)) return "is a list, not a single value";
  text = is_text(cell) ? cell.text : arena.copy(cell_text(cell));
  return is_valid_utf8(text) ? nullptr : "is not valid UTF-8";
}

const char* read_text(const Cell& cell, size_t most, const char* too_long, TextArena& arena, AttributeValue& value) {
  std::string_view text;
  if (const char* problem = read_plain_text(cell, arena, text)) return problem;
  if (text.size() > most) return too_long;
  value = AttributeValue::of_text(text);
  return nullptr;
}

const char* read_set(const Cell& cell, TextArena& arena, AttributeValue& value) {
  if (cell.kind == Kind::kNested) return "is not a list of texts or numbers";
  if (!is_list(cell)) return read_text(cell, kMaxAttributeTextBytes, "is longer than 1 MiB, the most a set may have", arena, value);
  auto texts = cell.kind == Kind::kTexts ? cell.texts() : std::span<const std::string_view>();
  if (cell.kind == Kind::kNumbers) {
    const auto made = arena.array<std::string_view>(cell.numbers().size());
    for (size_t i = 0; i < made.size(); ++i) made[i] = arena.copy(cell_text(Cell::of_float(double{cell.numbers()[i]})));
    texts = made;
  }
  for (const std::string_view text : texts) {
    if (!is_valid_utf8(text)) return "is not valid UTF-8";
    if (text.size() > kMaxCategoryBytes) return "has an element of more than 64 KiB, the most it may have";
  }
  value = AttributeValue::of_texts(texts);
  return nullptr;
}

const char* read_vector(const Cell& cell, TextArena& arena, AttributeValue& value) {
  constexpr const char* kNoNumber = "is not a list of finite numbers";
  if (cell.kind == Kind::kNumbers) {
    for (const float x : cell.numbers())
      if (!std::isfinite(x)) return kNoNumber;
    return value = AttributeValue::of_vector(cell.numbers()), nullptr;
  }
  if (!is_text(cell) && cell.kind != Kind::kTexts) return kNoNumber;
  const auto bars = static_cast<size_t>(std::count(cell.text.begin(), cell.text.end(), '|'));
  const auto numbers = arena.array<float>(is_text(cell) ? bars + 1 : cell.texts().size());
  std::string_view rest = cell.text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const std::string_view element = is_text(cell) ? rest.substr(0, rest.find('|')) : cell.texts()[i];
    rest.remove_prefix(std::min(rest.size(), element.size() + 1));
    double number = 0;
    if (read_number(Cell::of_field(element), number) != nullptr) return kNoNumber;
    numbers[i] = static_cast<float>(number);
    if (!std::isfinite(numbers[i])) return kNoNumber;
  }
  return value = AttributeValue::of_vector(numbers), nullptr;
}

}  // namespace

const char* read_attribute(const Cell& cell, AttributeType type, TextArena& arena, AttributeValue& value) {
  value = {};
  if (cell.is_null()) return nullptr;
  switch (type) {
    case AttributeType::kNumber: value.kind = AttributeValue::Kind::kNumber; return read_number(cell, value.number);
    case AttributeType::kCategory:
      return read_text(cell, kMaxCategoryBytes, "is longer than 64 KiB, the most a category may have", arena, value);
    case AttributeType::kSet: return read_set(cell, arena, value);
    case AttributeType::kFlag: return read_flag(cell, value);
    case AttributeType::kText:
      return read_text(cell, kMaxAttributeTextBytes, "is longer than 1 MiB, the most a text may have", arena, value);
    case AttributeType::kVector: return read_vector(cell, arena, value);
  }
  return nullptr;
}

}  // namespace bouquet::training
