#include "training/cell_values.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "engine/id_map.h"

namespace bouquet::training {
namespace {

constexpr double kLargestExact = 9007199254740992.0;  // 2^53: past it a double no longer knows its last digit
constexpr const char* kNotWhole = "is not a whole number, so it cannot be an id";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_ascii(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080ull) != 0) return false;
  }
  for (; i < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) >= 0x80) return false;
  return true;
}

const char* checked(std::string_view text, std::string_view& id) {
  if (text.empty()) return "is empty";
  if (text.size() > kMaxIdBytes) return "is longer than 128 bytes, the most an id may have";
  if (!is_valid_utf8(text)) return "is not valid UTF-8";
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) return "contains a NUL byte";
  id = text;
  return nullptr;
}

// The length of `-?digits` if `text` is that followed by `.0`, `.00`, ...; otherwise 0.
size_t whole_part(std::string_view text) {
  if (text.empty() || text.back() != '0') return 0;
  size_t end = text.size();
  while (end > 0 && text[end - 1] == '0') --end;
  if (end < 2 || text[end - 1] != '.') return 0;
  --end;
  size_t at = text[0] == '-' ? 1 : 0;
  if (at == end) return 0;
  for (; at < end; ++at)
    if (!is_digit(text[at])) return 0;
  return end;
}

template <typename Integer>
std::string_view decimal(Integer value, TextArena& arena) {
  char* at = arena.allocate(24);
  return {at, static_cast<size_t>(std::to_chars(at, at + 24, value).ptr - at)};
}

const char* whole_double(double value, TextArena& arena, std::string_view& id) {
  if (!(std::fabs(value) <= kLargestExact)) return "is too large to be an id as a floating-point number; write it as text";
  if (value != std::floor(value)) return kNotWhole;
  id = decimal(static_cast<int64_t>(value), arena);
  return nullptr;
}

const char* parse_double(std::string_view text, double& value) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.size() == 1 && is_digit(text[0])) {  // most quantities
    value = text[0] - '0';
    return nullptr;
  }
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (at != text.data() + text.size() || error == std::errc::invalid_argument) return "is not a number";
  if (error != std::errc() || !std::isfinite(value)) return "is not a finite number";
  return nullptr;
}

}  // namespace

bool is_valid_utf8(std::string_view text) { return is_ascii(text) || simdjson::validate_utf8(text.data(), text.size()); }

const char* read_id(const Cell& cell, TextArena& arena, std::string_view& id) {
  switch (cell.kind) {
    case Cell::Kind::kNull: return "is empty";
    case Cell::Kind::kField:
      if (const size_t whole = whole_part(cell.text); whole > 0) return checked(cell.text.substr(0, whole), id);
      return checked(cell.text, id);
    case Cell::Kind::kText: return checked(cell.text, id);
    case Cell::Kind::kInteger: id = decimal(cell.integer, arena); return nullptr;
    case Cell::Kind::kUnsigned: id = decimal(static_cast<uint64_t>(cell.integer), arena); return nullptr;
    case Cell::Kind::kFloat: return whole_double(cell.number, arena, id);
    case Cell::Kind::kTime:
    case Cell::Kind::kNaiveTime: return "is a time, not an id";
    case Cell::Kind::kBool: return "is true or false, not an id";
    case Cell::Kind::kTexts:
    case Cell::Kind::kNumbers:
    case Cell::Kind::kNested: return "is nested, not an id";
  }
  return "is not an id";
}

const char* read_number(const Cell& cell, double& value) {
  switch (cell.kind) {
    case Cell::Kind::kField:
    case Cell::Kind::kText: return parse_double(cell.text, value);
    case Cell::Kind::kInteger: value = static_cast<double>(cell.integer); return nullptr;
    case Cell::Kind::kUnsigned: value = static_cast<double>(static_cast<uint64_t>(cell.integer)); return nullptr;
    case Cell::Kind::kFloat: value = cell.number; return std::isfinite(value) ? nullptr : "is not a finite number";
    default: return "is not a number";
  }
}

Cell list_cell(std::span<const Cell> cells, bool floating, TextArena& arena) {
  if (floating) {
    const auto numbers = arena.array<float>(cells.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      double number = NAN;
      if (!cells[i].is_null() && (cells[i].kind == Cell::Kind::kText || read_number(cells[i], number) != nullptr))
        return Cell::of(Cell::Kind::kNested);
      numbers[i] = static_cast<float>(number);
    }
    return Cell::of_numbers(numbers);
  }
  const auto texts = arena.array<std::string_view>(cells.size());
  size_t count = 0;
  for (const Cell& cell : cells) {
    const bool is_integer = cell.kind == Cell::Kind::kInteger || cell.kind == Cell::Kind::kUnsigned;
    if (cell.is_null()) continue;
    if (cell.kind != Cell::Kind::kText && !is_integer) return Cell::of(Cell::Kind::kNested);
    texts[count++] = is_integer ? arena.copy(cell_text(cell)) : cell.text;
  }
  return Cell::of_texts(texts.first(count));
}

const char* read_time(const Cell& cell, TimeParser& parser, int64_t& microseconds) {
  switch (cell.kind) {
    case Cell::Kind::kNull: return "is empty";
    case Cell::Kind::kField:
    case Cell::Kind::kText: return parser.parse(cell.text, microseconds);
    case Cell::Kind::kInteger: return parser.from_seconds(cell.integer, microseconds);
    case Cell::Kind::kFloat: return parser.from_seconds(cell.number, microseconds);
    case Cell::Kind::kTime: microseconds = cell.integer; return nullptr;
    case Cell::Kind::kNaiveTime: microseconds = parser.from_naive(cell.integer); return nullptr;
    default: return "is not a time";
  }
}

}  // namespace bouquet::training
