#include "engine/item_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine/catalog_columns_builder.h"
#include "engine/errors.h"
#include "engine/filter_syntax.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Six items; the last lacks everything.
Catalog tea_shop() {
  Catalog catalog;
  catalog.kinds = std::vector<uint8_t>{0, 0, 0, 1, 2, 0};
  catalog.titles = string_column({"Green tea", "Black tea", "Cup", "How to brew", "Call us", ""});
  catalog.categories = string_column({"tea", "tea", "china", "", "", ""});
  CatalogColumnsBuilder columns;
  columns.add_numbers("price", {4.5, 3, 12, 0, -1, kNoNumber});
  columns.add_flags("organic", {1, 0, 0, kMissingFlag, 1, kMissingFlag});
  columns.add_categories("color", {"green", "black", "white", "", "", ""});
  columns.add_sets("tags", {{{"leaf", "new"}}, {{"leaf"}}, {std::vector<std::string>{}}, {{"read", "new"}}, {{"x"}}, {}});
  columns.add_categories("Größe (cm)", {"", "", "12", "", "", ""});
  catalog.columns = columns.finish();
  EXPECT_TRUE(validate(catalog.columns, 6).ok());
  return catalog;
}

std::vector<int> passing(std::string_view filter) {
  const auto words = items_passing(filter, tea_shop(), 6);
  EXPECT_TRUE(words.ok()) << words.status();
  std::vector<int> items;
  if (!words.ok()) return items;
  for (int i = 0; i < 64; ++i)
    if (((*words)[0] >> i) & 1) items.push_back(i);
  return items;
}

std::string error_of(std::string_view filter) {
  const auto words = items_passing(filter, tea_shop(), 6);
  EXPECT_EQ(words.status().code(), absl::StatusCode::kInvalidArgument) << filter;
  return std::string(message_of(words.status()));
}

TEST(ItemFilter, NumbersCompareAndAMissingOneMatchesNothing) {
  EXPECT_THAT(passing("price = 3"), ElementsAre(1));
  EXPECT_THAT(passing("price != 3"), ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(passing("price < 3"), ElementsAre(3, 4));
  EXPECT_THAT(passing("price <= 3.0"), ElementsAre(1, 3, 4));
  EXPECT_THAT(passing("price > 45e-1"), ElementsAre(2));
  EXPECT_THAT(passing("price>=4.5"), ElementsAre(0, 2));
  EXPECT_THAT(passing("price = -1"), ElementsAre(4));
  EXPECT_THAT(passing("NOT price < 3"), ElementsAre(0, 1, 2));
  EXPECT_THAT(passing("NOT price != 3"), ElementsAre(1));
}

TEST(ItemFilter, TextsCompareByTheirBytes) {
  EXPECT_THAT(passing("color = \"black\""), ElementsAre(1));
  EXPECT_THAT(passing("color = 'black'"), ElementsAre(1));
  EXPECT_THAT(passing("color != \"black\""), ElementsAre(0, 2));
  EXPECT_THAT(passing("color = \"blue\""), IsEmpty());
  EXPECT_THAT(passing("color != \"blue\""), ElementsAre(0, 1, 2));
  EXPECT_THAT(passing("color < \"green\""), ElementsAre(1));
  EXPECT_THAT(passing("color <= \"green\""), ElementsAre(0, 1));
  EXPECT_THAT(passing("color > \"blue\""), ElementsAre(0, 2));
  EXPECT_THAT(passing("color >= \"green\""), ElementsAre(0, 2));
  EXPECT_THAT(passing("color: ANY(\"white\", \"blue\", \"black\", \"white\")"), ElementsAre(1, 2));
  EXPECT_THAT(passing("NOT color: ANY(\"white\", \"blue\")"), ElementsAre(0, 1));
  EXPECT_THAT(passing("NOT color > \"blue\""), ElementsAre(1));
}

TEST(ItemFilter, TitleCategoryAndKindAreAttributesToo) {
  EXPECT_THAT(passing("title = \"Cup\""), ElementsAre(2));
  EXPECT_THAT(passing("title >= \"Cup\" AND title < \"H\""), ElementsAre(0, 2));
  EXPECT_THAT(passing("category != \"tea\""), ElementsAre(2));
  EXPECT_THAT(passing("category: ANY(\"tea\", \"coffee\")"), ElementsAre(0, 1));
  EXPECT_THAT(passing("NOT category: ANY(\"tea\", \"coffee\")"), ElementsAre(2));
  EXPECT_THAT(passing("kind = \"PRODUCT\""), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(passing("kind != \"PRODUCT\""), ElementsAre(3, 4));
  EXPECT_THAT(passing("NOT kind: ANY(\"PRODUCT\", \"ACTION\")"), ElementsAre(3));
}

TEST(ItemFilter, FlagsAreTrueOrFalseOrMissing) {
  EXPECT_THAT(passing("organic = true"), ElementsAre(0, 4));
  EXPECT_THAT(passing("organic = false"), ElementsAre(1, 2));
  EXPECT_THAT(passing("organic != true"), ElementsAre(1, 2));
  EXPECT_THAT(passing("NOT organic = false"), ElementsAre(0, 4));
}

TEST(ItemFilter, SetsHaveAnyOfTheTextsAndAnEmptySetIsNotMissing) {
  EXPECT_THAT(passing("tags: ANY(\"new\")"), ElementsAre(0, 3));
  EXPECT_THAT(passing("tags:ANY('leaf','x')"), ElementsAre(0, 1, 4));
  EXPECT_THAT(passing("tags: ANY(\"nowhere\")"), IsEmpty());
  EXPECT_THAT(passing("NOT tags: ANY(\"new\", \"x\")"), ElementsAre(1, 2));
}

TEST(ItemFilter, OrBindsTighterThanAndAsInAip160) {
  EXPECT_THAT(passing("organic = true AND price = 4.5 OR price = 3"), ElementsAre(0));
  EXPECT_THAT(passing("(organic = true AND price = 4.5) OR price = 3"), ElementsAre(0, 1));
  EXPECT_THAT(passing("price = 3 OR price = 12 AND color = \"white\" OR color = \"black\""), ElementsAre(1, 2));
  EXPECT_THAT(passing("NOT organic = true AND price > 0"), ElementsAre(1, 2));
  EXPECT_THAT(passing("NOT (organic = true OR price = 3)"), ElementsAre(2));
}

TEST(ItemFilter, NotOfUnknownIsUnknownButOneTrueSideIsEnoughForOr) {
  EXPECT_THAT(passing("organic = true OR price = 0"), ElementsAre(0, 3, 4));
  EXPECT_THAT(passing("NOT (organic = true AND price = 0)"), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(passing("NOT (color = \"red\" OR NOT color = \"red\")"), IsEmpty());
}

TEST(ItemFilter, AnyNameMayBeQuotedAndTextsTakeEscapes) {
  EXPECT_THAT(passing("\"Größe (cm)\" = \"12\""), ElementsAre(2));
  EXPECT_THAT(passing("\"price\" = 3"), ElementsAre(1));
  EXPECT_THAT(error_of("color = \"a\\n\""), HasSubstr("column 11: a backslash in a text goes before a quote or a backslash"));
  EXPECT_THAT(passing("color = \"a\\\"\\\\\" OR color=\"black\""), ElementsAre(1));
}

TEST(ItemFilter, ASyntaxErrorPointsAtTheColumnInCharacters) {
  EXPECT_EQ(error_of("price = "), "column 9: expected a number, a text in quotes, true or false, but the filter ends");
  EXPECT_EQ(error_of("  "), "column 3: expected an attribute or (, but the filter ends");
  EXPECT_EQ(error_of("price 3"), "column 7: expected one of = != < <= > >= or : after 'price', but there is '3'");
  EXPECT_EQ(error_of("price = 3 and price = 4"), "column 11: expected AND, OR or the end, but there is 'and'; write AND");
  EXPECT_EQ(error_of("(price = 3"), "column 11: expected AND, OR or ), but the filter ends");
  EXPECT_EQ(error_of("price = 3)"), "column 10: expected AND, OR or the end, but there is ')'");
  EXPECT_EQ(error_of("price = 3kg"), "column 9: '3kg' is not a number; a text stands in quotes");
  EXPECT_EQ(error_of("price = 1e999"), "column 9: '1e999' is outside the range of numbers");
  EXPECT_EQ(error_of("price == 3"), "column 8: expected a number, a text in quotes, true or false, but there is '='");
  EXPECT_EQ(error_of("price ! 3"), "column 7: '!' means nothing here");
  EXPECT_EQ(error_of("color = red"), "column 9: expected a number, a text in quotes, true or false, but there is 'red'");
  EXPECT_EQ(error_of("color = \"red"), "column 9: this text has no closing \"");
  EXPECT_EQ(error_of("color : (\"red\")"), "column 9: expected ANY after ':', but there is '('");
  EXPECT_EQ(error_of("color: ANY()"), "column 12: expected a text in quotes, but there is ')'");
  EXPECT_EQ(error_of("color: ANY(\"a\" \"b\")"), "column 16: expected , or ), but there is 'b'");
  EXPECT_EQ(error_of("NOT NOT price = 3"), "column 5: expected an attribute or (, but there is 'NOT'");
  EXPECT_EQ(error_of("\"Größe (cm)\" = \"ü\" ?"), "column 20: '?' means nothing here");
}

TEST(ItemFilter, AnUnknownAttributeNamesTheNearest) {
  EXPECT_EQ(error_of("organic = true AND colour = \"red\""), "column 20: the items have no attribute 'colour'; the nearest is 'color'");
  EXPECT_EQ(error_of("Title = \"x\""), "column 1: the items have no attribute 'Title'; the nearest is 'title'");
}

TEST(ItemFilter, EachTypeTakesItsOwnOperatorsAndValues) {
  EXPECT_EQ(error_of("price = \"3\""), "column 9: 'price' is a number and compares with a number, not with '3'");
  EXPECT_EQ(error_of("price: ANY(\"3\")"), "column 6: 'price' is a number; it takes = != < <= > >=");
  EXPECT_EQ(error_of("color = 3"), "column 9: 'color' is a text and compares with a text in quotes, not with '3'");
  EXPECT_EQ(error_of("title = true"), "column 9: 'title' is a text and compares with a text in quotes, not with 'true'");
  EXPECT_EQ(error_of("organic < true"), "column 9: 'organic' is a flag; it takes = and !=");
  EXPECT_EQ(error_of("organic = 1"), "column 11: 'organic' is a flag and compares with true or false, not with '1'");
  EXPECT_EQ(error_of("tags = \"new\""), "column 6: 'tags' is a set; it takes : ANY(\"a\", \"b\")");
  EXPECT_EQ(error_of("kind < \"PRODUCT\""), "column 6: 'kind' is a kind; it takes = != and : ANY(\"PRODUCT\", \"CONTENT\")");
  EXPECT_EQ(error_of("kind: ANY(\"PRODUCT\", \"product\")"),
            "column 22: 'product' is not a kind; kinds are \"PRODUCT\", \"CONTENT\", \"ACTION\"");
}

TEST(ItemFilter, IsBoundedInBytesDepthAndComparisons) {
  const std::string longest = "color = \"" + std::string(kMaxFilterBytes - 10, 'x') + "\"";
  EXPECT_THAT(passing(longest), IsEmpty());
  EXPECT_THAT(error_of(longest + " "), HasSubstr("has 8193 bytes; at most 8192 are allowed"));
  const auto nested = [](int depth) {
    const auto n = static_cast<size_t>(depth);
    return std::string(n, '(') + "price = 3" + std::string(n, ')');
  };
  EXPECT_THAT(passing(nested(kMaxFilterDepth)), ElementsAre(1));
  EXPECT_EQ(error_of(nested(kMaxFilterDepth + 1)), "column 33: parentheses are nested more than 32 deep");
  std::string many = "price = 3";
  for (int i = 1; i < kMaxFilterComparisons; ++i) many += " OR price=3";
  EXPECT_THAT(passing(many), ElementsAre(1));
  EXPECT_THAT(error_of(many + " OR price=3"), HasSubstr("more than 100 comparisons"));
  EXPECT_LT(error_of("color = " + std::string(5000, 'x')).size(), 200u);  // a status must fit into a header
}

TEST(ItemFilter, BitsPastTheLastItemAreZeroAndNoItemsAreNoWords) {
  const Catalog untitled;
  const auto words = items_passing("kind = \"PRODUCT\"", untitled, 65);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_THAT(*words, ElementsAre(~uint64_t{0}, uint64_t{1}));
  EXPECT_THAT(*items_passing("title = \"x\"", untitled, 65), ElementsAre(0u, 0u));
  EXPECT_THAT(*items_passing("title != \"x\"", untitled, 0), IsEmpty());
}

}  // namespace
}  // namespace bouquet
