// Filters against a naive evaluator: random trees over random catalogs, written as text, and evaluated item by item in the three-valued
// logic of docs/api.md, which here knows nothing of negation normal form, codes or bitmaps.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog_columns_builder.h"
#include "engine/item_filter.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

using Truth = std::optional<bool>;  // none: unknown

const std::vector<std::string> kTexts = {"a", "ab", "b", "B", "\"q'\\", "zé", "z"};
const std::vector<std::string> kOperators = {"=", "!=", "<", "<=", ">", ">="};

struct Item {
  std::optional<double> price;
  std::optional<bool> fresh;
  std::string color, title;  // empty: missing
  std::optional<std::vector<std::string>> tags;
  int kind = 0;
};

std::vector<std::string> any_texts(int most) {
  std::vector<std::string> texts;
  for (int n = *rc::gen::inRange(0, most + 1); n > 0; --n) texts.push_back(*rc::gen::elementOf(kTexts));
  return texts;
}
std::string any_text_or_none() { return *rc::gen::inRange(0, 4) == 0 ? std::string() : *rc::gen::elementOf(kTexts); }

Item any_item() {
  Item item;
  if (*rc::gen::inRange(0, 4) != 0) item.price = *rc::gen::inRange(-3, 4) / 2.0;
  if (*rc::gen::inRange(0, 3) != 0) item.fresh = *rc::gen::arbitrary<bool>();
  item.color = any_text_or_none();
  item.title = any_text_or_none();
  if (*rc::gen::inRange(0, 4) != 0) item.tags = any_texts(3);
  item.kind = *rc::gen::inRange(0, kItemKindCount);
  return item;
}

Catalog catalog_of(const std::vector<Item>& items) {
  std::vector<double> prices;
  std::vector<uint8_t> fresh, kinds;
  std::vector<std::string> colors, titles;
  std::vector<CatalogColumnsBuilder::Set> tags;
  for (const Item& item : items) {
    prices.push_back(item.price.value_or(std::numeric_limits<double>::quiet_NaN()));
    fresh.push_back(item.fresh ? static_cast<uint8_t>(*item.fresh) : kMissingFlag);
    colors.push_back(item.color);
    titles.push_back(item.title);
    tags.push_back(item.tags);
    kinds.push_back(static_cast<uint8_t>(item.kind));
  }
  CatalogColumnsBuilder columns;
  columns.add_sets("tags", tags);
  columns.add_numbers("other", std::vector<double>(items.size(), 7));  // so that columns of one type are told apart
  columns.add_numbers("price", prices);
  columns.add_sets("empty", std::vector<CatalogColumnsBuilder::Set>(items.size()));
  columns.add_categories("color", colors);
  columns.add_flags("fresh", fresh);
  Catalog catalog;
  catalog.kinds = kinds;
  catalog.titles = string_column(titles);
  catalog.columns = columns.finish();
  const absl::Status valid = validate(catalog.columns, static_cast<int64_t>(items.size()));
  RC_ASSERT(valid.ok());
  return catalog;
}

struct Expression {
  std::string text;
  std::function<Truth(const Item&)> value;
};

template <typename T>
bool holds(const std::string& op, const T& a, const T& b) {
  if (op == "=") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  return op == ">" ? a > b : a >= b;
}

std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

Expression any_of_texts(const std::string& name, const std::function<std::optional<std::vector<std::string>>(const Item&)>& field) {
  std::vector<std::string> wanted = any_texts(3);
  wanted.push_back(*rc::gen::elementOf(kTexts));
  std::string text = name + ": ANY(";
  for (size_t i = 0; i < wanted.size(); ++i) text += (i == 0 ? "" : ", ") + in_quotes(wanted[i]);
  return {text + ")", [wanted, field](const Item& item) -> Truth {
            const auto has = field(item);
            if (!has) return {};
            for (const std::string& one : *has)
              if (std::find(wanted.begin(), wanted.end(), one) != wanted.end()) return true;
            return false;
          }};
}

Expression any_text_comparison(const std::string& name, std::string Item::*field) {
  if (*rc::gen::inRange(0, 3) == 0)
    return any_of_texts(name, [field](const Item& item) -> std::optional<std::vector<std::string>> {
      if ((item.*field).empty()) return {};
      return {{item.*field}};
    });
  const std::string op = *rc::gen::elementOf(kOperators), wanted = *rc::gen::elementOf(kTexts);
  return {name + " " + op + " " + in_quotes(wanted), [=](const Item& item) -> Truth {
            if ((item.*field).empty()) return {};
            return holds(op, item.*field, wanted);
          }};
}

Expression any_comparison() {
  const std::string op = *rc::gen::elementOf(kOperators), equality = *rc::gen::element<std::string>("=", "!=");
  switch (*rc::gen::inRange(0, 6)) {
    case 0: {
      const double wanted = *rc::gen::inRange(-3, 4) / 2.0;
      return {"price" + op + std::to_string(wanted), [=](const Item& item) -> Truth {
                if (!item.price) return {};
                return holds(op, *item.price, wanted);
              }};
    }
    case 1: {
      const bool wanted = *rc::gen::arbitrary<bool>();
      return {"fresh " + equality + (wanted ? " true" : " false"), [=](const Item& item) -> Truth {
                if (!item.fresh) return {};
                return holds(equality, *item.fresh, wanted);
              }};
    }
    case 2: {
      const int wanted = *rc::gen::inRange(0, kItemKindCount);
      return {"kind" + equality + "\"" + std::string(item_kind_name(static_cast<ItemKind>(wanted))) + "\"",
              [=](const Item& item) -> Truth { return holds(equality, item.kind, wanted); }};
    }
    case 3: return any_of_texts("tags", [](const Item& item) { return item.tags; });
    case 4: return any_text_comparison("color", &Item::color);
    default: return any_text_comparison("title", &Item::title);
  }
}

Expression negation(const Expression& inner) {
  return {"NOT (" + inner.text + ")", [inner](const Item& item) -> Truth {
            const Truth value = inner.value(item);
            if (!value) return {};
            return !*value;
          }};
}

// Kleene: a side that decides alone does so whatever the other is.
Expression joined(const Expression& a, const Expression& b, bool both) {
  return {"(" + a.text + ")" + (both ? " AND " : " OR ") + "(" + b.text + ")", [=](const Item& item) -> Truth {
            const Truth x = a.value(item), y = b.value(item);
            if ((x && *x != both) || (y && *y != both)) return !both;
            if (!x || !y) return {};
            return both;
          }};
}

Expression any_expression(int depth) {
  const int choice = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
  if (choice == 0) return any_comparison();
  if (choice == 1) return negation(any_expression(depth - 1));
  const Expression a = any_expression(depth - 1), b = any_expression(depth - 1);
  return joined(a, b, choice == 2);
}

RC_GTEST_PROP(ItemFilterProperty, AgreesWithANaiveEvaluator, ()) {
  std::vector<Item> items;
  for (int n = *rc::gen::inRange(0, 140); n > 0; --n) items.push_back(any_item());
  const Expression filter = any_expression(4);
  RC_LOG() << filter.text;
  const auto words = items_passing(filter.text, catalog_of(items), static_cast<int64_t>(items.size()));
  RC_ASSERT(words.ok());
  RC_ASSERT(words->size() == (items.size() + 63) / 64);
  for (size_t i = 0; i < words->size() * 64; ++i) {
    const bool wanted = i < items.size() && filter.value(items[i]).value_or(false);
    RC_ASSERT((((*words)[i / 64] >> (i % 64)) & 1) == static_cast<uint64_t>(wanted));
  }
}

// Without parentheses: AND of ORs, as AIP-160 has it.
RC_GTEST_PROP(ItemFilterProperty, OrBindsTighterThanAnd, ()) {
  std::vector<Item> items(1, any_item());
  std::string text;
  bool wanted = true, clause = false;
  for (int n = *rc::gen::inRange(1, 8); n > 0; --n) {
    const Expression next = any_comparison();
    const bool begins = text.empty() || *rc::gen::arbitrary<bool>();
    if (!text.empty()) text += begins ? " AND " : " OR ";
    if (begins && !text.empty()) wanted = wanted && clause;
    clause = (begins ? false : clause) || next.value(items[0]).value_or(false);
    text += next.text;
  }
  RC_LOG() << text;
  const auto words = items_passing(text, catalog_of(items), 1);
  RC_ASSERT(words.ok());
  RC_ASSERT((*words)[0] == static_cast<uint64_t>(wanted && clause));
}

// Whatever bytes come: an answer or an error that says where, never a crash.
RC_GTEST_PROP(ItemFilterProperty, AnyTextIsAnsweredOrRefused, ()) {
  const std::vector<std::string> pieces = {"price", "color", "tags", "kind",     " ",   "(",   ")",     "ANY", ":",        ",",   "=",
                                           "!=",    "<",     "AND",  "OR",       "NOT", "\"a", "\"b\"", "'c'", "-1",       "2.5", "e+",
                                           "\\",    "true",  "\xff", "\xc3\xa9", "..",  "-",   "!",     "\t",  "price = 1"};
  std::string text;
  for (const std::string& piece : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces))) text += piece;
  const auto words = items_passing(text, catalog_of({any_item()}), 1);
  if (!words.ok()) RC_ASSERT(std::string(words.status().message()).find("column ") == 0u);
}

}  // namespace
}  // namespace bouquet
