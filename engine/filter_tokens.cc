#include "engine/filter_tokens.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/errors.h"
#include "engine/text_beginning.h"

namespace bouquet {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool continues_word(char c) { return starts_word(c) || is_digit(c) || c == '.' || c == '-'; }

class Scanner {
 public:
  explicit Scanner(std::string_view filter) : filter_(filter) {}

  absl::StatusOr<PlacedToken> next() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) take();
    PlacedToken token;
    token.column = column_;
    if (at_end()) return token;
    const char c = peek();
    if (c == '"' || c == '\'') return quoted(std::move(token));
    if (starts_word(c)) {
      token.kind = FilterToken::kWord;
      while (!at_end() && continues_word(peek())) token.text += take();
      return token;
    }
    if (is_digit(c) || c == '-') return number(std::move(token));
    return sign(std::move(token));
  }

 private:
  bool at_end() const { return at_ == filter_.size(); }
  char peek() const { return filter_[at_]; }
  char take() {
    const char c = filter_[at_++];
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++column_;  // characters, not bytes
    return c;
  }

  absl::StatusOr<PlacedToken> quoted(PlacedToken token) {
    token.kind = FilterToken::kText;
    const char quote = take();
    while (!at_end() && peek() != quote) {
      const int32_t column = column_;
      char c = take();
      if (c == '\\') {
        if (at_end() || (peek() != '"' && peek() != '\'' && peek() != '\\'))
          return filter_error(column, "a backslash in a text goes before a quote or a backslash");
        c = take();
      }
      token.text += c;
    }
    if (at_end()) return filter_error(token.column, std::string("this text has no closing ") + quote);
    take();
    return token;
  }

  absl::StatusOr<PlacedToken> number(PlacedToken token) {
    token.kind = FilterToken::kNumber;
    const size_t begin = at_;
    take();
    // All that looks like a part of it, so that `3kg` and `1.2.3` are one mistake.
    while (!at_end() && (continues_word(peek()) || (peek() == '+' && (filter_[at_ - 1] | 0x20) == 'e'))) take();
    const std::string_view text = filter_.substr(begin, at_ - begin);
    token.text = text;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), token.number);
    const bool digit_first = is_digit(text[text[0] == '-' ? 1 : 0]);
    if (!digit_first || problem == std::errc::invalid_argument || end != text.data() + text.size())
      return filter_error(token.column, filter_text_shown(token.text) + " is not a number; a text stands in quotes");
    if (problem != std::errc() || !std::isfinite(token.number))
      return filter_error(token.column, filter_text_shown(token.text) + " is outside the range of numbers");
    return token;
  }

  absl::StatusOr<PlacedToken> sign(PlacedToken token) {
    token.text = take();
    switch (token.text[0]) {
      case '(': token.kind = FilterToken::kOpen; return token;
      case ')': token.kind = FilterToken::kClose; return token;
      case ':': token.kind = FilterToken::kColon; return token;
      case ',': token.kind = FilterToken::kComma; return token;
      case '=': token.kind = FilterToken::kOperator; return token;
      case '<':
      case '>':
      case '!':
        token.kind = FilterToken::kOperator;
        if (!at_end() && peek() == '=') token.text += take();
        if (token.text != "!") return token;
        break;
      default: break;
    }
    return filter_error(token.column, filter_text_shown(token.text) + " means nothing here");
  }

  std::string_view filter_;
  size_t at_ = 0;
  int32_t column_ = 1;
};

}  // namespace

absl::Status filter_error(int32_t column, const std::string& what) { return wrong_usage("column " + std::to_string(column) + ": " + what); }

std::string filter_text_shown(std::string_view text) {
  const std::string_view shown = text_beginning(text, 40);
  return "'" + std::string(shown) + (shown.size() < text.size() ? "...'" : "'");
}

absl::StatusOr<std::vector<PlacedToken>> filter_tokens(std::string_view filter) {
  std::vector<PlacedToken> tokens;
  Scanner scanner(filter);
  do {
    auto token = scanner.next();
    if (!token.ok()) return token.status();
    tokens.push_back(*std::move(token));
  } while (tokens.back().kind != FilterToken::kEnd);
  return tokens;
}

}  // namespace bouquet
