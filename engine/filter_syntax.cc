#include "engine/filter_syntax.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "engine/errors.h"

namespace bouquet {
namespace {

FilterOperator operator_named(std::string_view text) {
  if (text == "=") return FilterOperator::kEqual;
  if (text == "!=") return FilterOperator::kNotEqual;
  if (text == "<") return FilterOperator::kLess;
  if (text == "<=") return FilterOperator::kLessOrEqual;
  return text == ">" ? FilterOperator::kGreater : FilterOperator::kGreaterOrEqual;
}

FilterOperator turned_round(FilterOperator op) {
  switch (op) {
    case FilterOperator::kEqual: return FilterOperator::kNotEqual;
    case FilterOperator::kNotEqual: return FilterOperator::kEqual;
    case FilterOperator::kLess: return FilterOperator::kGreaterOrEqual;
    case FilterOperator::kLessOrEqual: return FilterOperator::kGreater;
    case FilterOperator::kGreater: return FilterOperator::kLessOrEqual;
    case FilterOperator::kGreaterOrEqual: return FilterOperator::kLess;
    case FilterOperator::kAny: return FilterOperator::kNotAny;
    default: return FilterOperator::kAny;
  }
}

bool is_keyword(std::string_view word) { return word == "AND" || word == "OR" || word == "NOT" || word == "ANY"; }

// Recursive descent over the grammar of docs/api.md. `negated` is whether an odd number of NOTs stands around.
class Parser {
 public:
  explicit Parser(std::vector<PlacedToken> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<FilterNode> whole() {
    auto node = expression(false);
    if (node.ok() && peek().kind != FilterToken::kEnd) return unexpected("AND, OR or the end");
    return node;
  }

 private:
  // AIP-160: OR binds tighter than AND.
  absl::StatusOr<FilterNode> expression(bool negated) {
    return joined("AND", negated ? FilterNode::Kind::kAtLeastOne : FilterNode::Kind::kAll, [this, negated] { return factor(negated); });
  }
  absl::StatusOr<FilterNode> factor(bool negated) {
    return joined("OR", negated ? FilterNode::Kind::kAll : FilterNode::Kind::kAtLeastOne, [this, negated] { return term(negated); });
  }

  template <typename Parse>
  absl::StatusOr<FilterNode> joined(std::string_view word, FilterNode::Kind kind, const Parse& parse) {
    auto first = parse();
    if (!first.ok() || !is_word(word)) return first;
    FilterNode node;
    node.kind = kind;
    node.children.push_back(*std::move(first));
    while (is_word(word)) {
      take();
      auto next = parse();
      if (!next.ok()) return next;
      node.children.push_back(*std::move(next));
    }
    return node;
  }

  absl::StatusOr<FilterNode> term(bool negated) {
    if (is_word("NOT")) {
      take();
      negated = !negated;
    }
    if (peek().kind != FilterToken::kOpen) return comparison(negated);
    if (++depth_ > kMaxFilterDepth)
      return filter_error(peek().column, "parentheses are nested more than " + std::to_string(kMaxFilterDepth) + " deep");
    take();
    auto inner = expression(negated);
    if (!inner.ok()) return inner;
    if (peek().kind != FilterToken::kClose) return unexpected("AND, OR or )");
    take();
    --depth_;
    return inner;
  }

  absl::StatusOr<FilterNode> comparison(bool negated) {
    const bool named = peek().kind == FilterToken::kText || (peek().kind == FilterToken::kWord && !is_keyword(peek().text));
    if (!named) return unexpected("an attribute or (");
    if (++comparisons_ > kMaxFilterComparisons)
      return filter_error(peek().column, "more than " + std::to_string(kMaxFilterComparisons) + " comparisons");
    FilterNode node;
    FilterComparison& comparison = node.comparison;
    comparison.name_column = peek().column;
    comparison.name = take().text;
    comparison.op_column = peek().column;
    absl::Status read;
    if (peek().kind == FilterToken::kOperator) {
      comparison.op = operator_named(take().text);
      read = value(comparison.values);
    } else if (peek().kind == FilterToken::kColon) {
      take();
      comparison.op = FilterOperator::kAny;
      read = list(comparison.values);
    } else {
      return unexpected("one of = != < <= > >= or : after " + filter_text_shown(comparison.name));
    }
    if (!read.ok()) return read;
    if (negated) comparison.op = turned_round(comparison.op);
    return node;
  }

  absl::Status value(std::vector<PlacedToken>& values) {
    const PlacedToken& token = peek();
    const bool flag = token.kind == FilterToken::kWord && (token.text == "true" || token.text == "false");
    if (!flag && token.kind != FilterToken::kText && token.kind != FilterToken::kNumber)
      return unexpected("a number, a text in quotes, true or false");
    values.push_back(take());
    return absl::OkStatus();
  }

  absl::Status list(std::vector<PlacedToken>& values) {
    if (!is_word("ANY")) return unexpected("ANY after ':'");
    take();
    if (peek().kind != FilterToken::kOpen) return unexpected("( after ANY");
    do {
      take();
      if (peek().kind != FilterToken::kText) return unexpected("a text in quotes");
      values.push_back(take());
    } while (peek().kind == FilterToken::kComma);
    if (peek().kind != FilterToken::kClose) return unexpected(", or )");
    take();
    return absl::OkStatus();
  }

  absl::Status unexpected(const std::string& expected) const {
    const PlacedToken& token = peek();
    std::string upper = token.text;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const bool lower_keyword = token.kind == FilterToken::kWord && is_keyword(upper) && !is_keyword(token.text);
    const std::string found = token.kind == FilterToken::kEnd ? "the filter ends" : "there is " + filter_text_shown(token.text);
    return filter_error(token.column, "expected " + expected + ", but " + found + (lower_keyword ? "; write " + upper : ""));
  }

  bool is_word(std::string_view word) const { return peek().kind == FilterToken::kWord && peek().text == word; }
  const PlacedToken& peek() const { return tokens_[at_]; }
  PlacedToken take() { return std::move(tokens_[at_++]); }  // never the last: kEnd is what nobody expects

  std::vector<PlacedToken> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int comparisons_ = 0;
};

}  // namespace

absl::StatusOr<FilterNode> parse_filter(std::string_view filter) {
  if (filter.size() > kMaxFilterBytes)
    return wrong_usage("has " + std::to_string(filter.size()) + " bytes; at most " + std::to_string(kMaxFilterBytes) + " are allowed");
  auto tokens = filter_tokens(filter);
  if (!tokens.ok()) return tokens.status();
  return Parser(*std::move(tokens)).whole();
}

}  // namespace bouquet
