#include "engine/item_predicates.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nearest_name.h"
#include "engine/views.h"

namespace bouquet {
namespace {

using Bound = absl::StatusOr<std::unique_ptr<ItemPredicate>>;

template <typename Test>
class EachItem final : public ItemPredicate {
 public:
  explicit EachItem(Test test) : test_(std::move(test)) {}
  uint64_t matches(int64_t first, int count) const override {
    // A constant bound for all words but the last lets the compiler unroll.
    return count == 64 ? bits(first, 64) : bits(first, count);
  }

 private:
  uint64_t bits(int64_t first, int count) const {
    uint64_t out = 0;
    for (int i = 0; i < count; ++i) out |= uint64_t{test_(first + i)} << i;
    return out;
  }
  Test test_;
};

// `test(item)` says whether the item matches.
template <typename Test>
Bound each_item(Test test) {
  return std::make_unique<EachItem<Test>>(std::move(test));
}

bool is_any(FilterOperator op) { return op == FilterOperator::kAny || op == FilterOperator::kNotAny; }
bool is_equality(FilterOperator op) { return op == FilterOperator::kEqual || op == FilterOperator::kNotEqual; }
bool is_negative(FilterOperator op) { return op == FilterOperator::kNotAny || op == FilterOperator::kNotEqual; }

// Calls `use` with the comparison of two values that `op` is.
template <typename Use>
Bound with_order(FilterOperator op, const Use& use) {
  switch (op) {
    case FilterOperator::kEqual: return use(std::equal_to<>());
    case FilterOperator::kNotEqual: return use(std::not_equal_to<>());
    case FilterOperator::kLess: return use(std::less<>());
    case FilterOperator::kLessOrEqual: return use(std::less_equal<>());
    case FilterOperator::kGreater: return use(std::greater<>());
    default: return use(std::greater_equal<>());
  }
}

absl::Status wrong_operator(const FilterComparison& c, const char* is) {
  return filter_error(c.op_column, filter_text_shown(c.name) + " is " + is);
}
absl::Status wrong_value(const FilterComparison& c, const std::string& is) {
  return filter_error(c.values[0].column, filter_text_shown(c.name) + " is " + is + ", not with " + filter_text_shown(c.values[0].text));
}

std::vector<std::string> texts_of(const FilterComparison& c) {
  std::vector<std::string> texts;
  for (const PlacedToken& value : c.values) texts.push_back(value.text);
  std::sort(texts.begin(), texts.end());
  return texts;
}

Bound bind_number(const FilterComparison& c, std::span<const double> numbers) {
  if (is_any(c.op)) return wrong_operator(c, "a number; it takes = != < <= > >=");
  if (c.values[0].kind != FilterToken::kNumber) return wrong_value(c, "a number and compares with a number");
  const double* values = numbers.data();
  const double wanted = c.values[0].number;
  if (c.op == FilterOperator::kNotEqual)  // alone of the six true for NaN
    return each_item([=](int64_t i) { return values[i] < wanted || values[i] > wanted; });
  return with_order(c.op, [=](auto holds) { return each_item([=](int64_t i) { return holds(values[i], wanted); }); });
}

Bound bind_flag(const FilterComparison& c, std::span<const uint8_t> flags) {
  if (!is_equality(c.op)) return wrong_operator(c, "a flag; it takes = and !=");
  if (c.values[0].kind != FilterToken::kWord) return wrong_value(c, "a flag and compares with true or false");
  const auto wanted = static_cast<uint8_t>((c.values[0].text == "true") != is_negative(c.op));
  return each_item([flags = flags.data(), wanted](int64_t i) { return flags[i] == wanted; });
}

// Texts in the catalog itself: titles and categories.
Bound bind_strings(const FilterComparison& c, const StringColumn& strings) {
  if (c.values[0].kind != FilterToken::kText) return wrong_value(c, "a text and compares with a text in quotes");
  if (is_any(c.op))
    return each_item([&strings, wanted = texts_of(c), negative = is_negative(c.op)](int64_t i) {
      const std::string_view text = strings.at(i);
      return !text.empty() && std::binary_search(wanted.begin(), wanted.end(), text) != negative;
    });
  return with_order(c.op, [&](auto holds) {
    return each_item([&strings, holds, wanted = c.values[0].text](int64_t i) {
      const std::string_view text = strings.at(i);
      return !text.empty() && holds(text, std::string_view(wanted));
    });
  });
}

// The codes of those of the comparison's texts that any item has, ascending and distinct.
std::vector<int32_t> codes_wanted(const FilterComparison& c, const CatalogColumns& columns) {
  std::vector<int32_t> codes;
  for (const PlacedToken& value : c.values)
    if (const int32_t code = columns.code_of(value.text); code != kNone) codes.push_back(code);
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

// Codes stand in the order of their texts, so that every order of texts is a range of codes, [begin, end).
struct CodeRange {
  int32_t begin, end;
  bool contains(int32_t code) const { return begin <= code && code < end; }
};

CodeRange codes_in_order(FilterOperator op, std::string_view text, const CatalogColumns& columns) {
  const int32_t lower = columns.lower_code(text), upper = columns.code_of(text) == kNone ? lower : lower + 1;
  const auto all = static_cast<int32_t>(columns.text_count());
  switch (op) {
    case FilterOperator::kLess: return {0, lower};
    case FilterOperator::kLessOrEqual: return {0, upper};
    case FilterOperator::kGreater: return {upper, all};
    case FilterOperator::kGreaterOrEqual: return {lower, all};
    default: return {lower, upper};
  }
}

Bound bind_category(const FilterComparison& c, const CatalogColumns& columns, std::span<const int32_t> codes) {
  if (c.values[0].kind != FilterToken::kText) return wrong_value(c, "a text and compares with a text in quotes");
  const int32_t* code = codes.data();
  if (is_any(c.op))
    return each_item([code, wanted = codes_wanted(c, columns), negative = is_negative(c.op)](int64_t i) {
      return code[i] != kNone && std::binary_search(wanted.begin(), wanted.end(), code[i]) != negative;
    });
  const CodeRange range = codes_in_order(c.op, c.values[0].text, columns);
  if (is_negative(c.op)) return each_item([=](int64_t i) { return code[i] != kNone && !range.contains(code[i]); });
  return each_item([=](int64_t i) { return range.contains(code[i]); });
}

Bound bind_set(const FilterComparison& c, const CatalogColumns& columns, std::span<const int64_t> offsets) {
  if (!is_any(c.op)) return wrong_operator(c, "a set; it takes : ANY(\"a\", \"b\")");
  return each_item([offset = offsets.data(), code = columns.set_codes.data(), wanted = codes_wanted(c, columns),
                    negative = is_negative(c.op)](int64_t i) {
    const int32_t *begin = code + offset[i], *end = code + offset[i + 1];
    if (begin != end && *begin == kNone) return false;
    return std::any_of(begin, end, [&](int32_t one) { return std::binary_search(wanted.begin(), wanted.end(), one); }) != negative;
  });
}

Bound bind_kind(const FilterComparison& c, const Catalog& catalog) {
  if (!is_any(c.op) && !is_equality(c.op)) return wrong_operator(c, "a kind; it takes = != and : ANY(\"PRODUCT\", \"CONTENT\")");
  uint32_t wanted = 0;  // bit 1 << kind
  for (const PlacedToken& value : c.values) {
    int kind = 0;
    while (kind < kItemKindCount && (value.kind != FilterToken::kText || item_kind_name(static_cast<ItemKind>(kind)) != value.text)) ++kind;
    if (kind == kItemKindCount)
      return filter_error(value.column, filter_text_shown(value.text) + " is not a kind; kinds are \"PRODUCT\", \"CONTENT\", \"ACTION\"");
    wanted |= 1u << kind;
  }
  if (is_negative(c.op)) wanted = ~wanted;
  return each_item([&catalog, wanted](int64_t i) { return ((wanted >> static_cast<int>(catalog.kind(i))) & 1) != 0; });
}

absl::Status unknown_attribute(const FilterComparison& c, const CatalogColumns& columns, std::span<const CatalogColumn> elsewhere) {
  std::vector<std::string> known = {"title", "category", "kind"};
  for (const CatalogColumn& column : columns.columns) known.push_back(column.name);
  for (const CatalogColumn& column : elsewhere) known.push_back(column.name);
  return filter_error(c.name_column, "the items have no attribute " + filter_text_shown(c.name) + "; the nearest is " +
                                         filter_text_shown(nearest_name(c.name, known)));
}

}  // namespace

Bound bind(const FilterComparison& c, const Catalog& catalog, int64_t item_count, std::span<const CatalogColumn> elsewhere) {
  if (c.name == "kind") return bind_kind(c, catalog);
  if (c.name == "title") return bind_strings(c, catalog.titles);
  if (c.name == "category") return bind_strings(c, catalog.categories);
  const CatalogColumns& columns = catalog.columns;
  size_t at = 0;
  while (at < columns.columns.size() && columns.columns[at].name != c.name) ++at;
  if (at == columns.columns.size()) {
    if (!std::ranges::any_of(elsewhere, [&](const CatalogColumn& column) { return column.name == c.name; }))
      return unknown_attribute(c, columns, elsewhere);
    return each_item([](int64_t) { return false; });
  }
  switch (columns.columns[at].type) {
    case AttributeType::kNumber: return bind_number(c, columns.numbers_of(at, item_count));
    case AttributeType::kFlag: return bind_flag(c, columns.flags_of(at, item_count));
    case AttributeType::kSet: return bind_set(c, columns, columns.set_offsets_of(at, item_count));
    default: return bind_category(c, columns, columns.codes_of(at, item_count));
  }
}

}  // namespace bouquet
