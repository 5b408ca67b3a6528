// Golden rows: what each type's transform makes of each kind of value.
#include "engine/attribute_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "engine/attribute_layout.h"
#include "engine/attribute_rows.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

AttributeSchema schema_of(std::vector<Attribute> attributes) {
  auto schema = AttributeSchema::make(std::move(attributes));
  EXPECT_TRUE(schema.ok()) << schema.status();
  return schema.ok() ? *std::move(schema) : AttributeSchema();
}

struct Encoded {
  std::vector<float> dense;
  std::vector<std::pair<std::string, float>> sparse;  // by the column's name
  std::string error;
};

Encoded encode(const AttributeSchema& schema, std::vector<AttributeValue> row) {
  AttributeEncoder encoder(schema);
  Encoded out;
  out.dense.assign(static_cast<size_t>(schema.dense_count()), -99);
  std::vector<int32_t> columns;
  std::vector<float> values;
  const absl::Status status = encoder.encode(row, out.dense, columns, values);
  if (!status.ok()) {
    out.error = message_of(status);
    EXPECT_TRUE(columns.empty() && values.empty());
    return out;
  }
  const std::vector<int64_t> offsets{0, static_cast<int64_t>(columns.size())};
  const AttributeRows rows{schema.column_count(), schema.dense_count(), out.dense, offsets, columns, values};
  EXPECT_TRUE(validate(rows, 1).ok()) << validate(rows, 1);
  for (size_t i = 0; i < columns.size(); ++i) out.sparse.emplace_back(schema.column_name(columns[i]), values[i]);
  return out;
}

Encoded encode_one(AttributeTransform transform, const AttributeValue& value) {
  return encode(schema_of({{"x", std::move(transform)}}), {value});
}

const NumberTransform kAge{.low = 10, .high = 90, .mean = 40, .deviation = 20};

TEST(AttributeEncoding, NumbersAreClippedThenStandardised) {
  EXPECT_THAT(encode_one(kAge, AttributeValue::of_number(60)).dense, ElementsAre(1));
  EXPECT_THAT(encode_one(kAge, AttributeValue::of_number(1e9)).dense, ElementsAre(2.5));
  EXPECT_THAT(encode_one(kAge, AttributeValue::of_number(-1e300)).dense, ElementsAre(-1.5));
  EXPECT_THAT(encode_one(kAge, AttributeValue::of_number(60)).sparse, IsEmpty());
}

TEST(AttributeEncoding, LogarithmsKeepTheSign) {
  const NumberTransform income{.log1p = true, .low = -10, .high = 10, .mean = 1, .deviation = 2};
  EXPECT_THAT(encode_one(income, AttributeValue::of_number(std::expm1(5))).dense, ElementsAre(FloatEq(2)));
  EXPECT_THAT(encode_one(income, AttributeValue::of_number(-std::expm1(5))).dense, ElementsAre(FloatEq(-3)));
}

TEST(AttributeEncoding, MissingIsAColumnOfItsOwnForEveryType) {
  const AttributeSchema schema = schema_of({{"age", kAge},
                                            {"country", CategoryTransform{{"DE", "FR"}}},
                                            {"tags", SetTransform{{"new"}, false, {}}},
                                            {"member", FlagTransform{}},
                                            {"title", TextTransform{4, std::vector<float>(16, 1), std::vector<std::string>(16)}},
                                            {"taste", VectorTransform{2, 1}}});
  const Encoded row = encode(schema, std::vector<AttributeValue>(6));
  EXPECT_THAT(row.dense, ElementsAre(0, 0, 0));
  EXPECT_THAT(row.sparse, ElementsAre(Pair("age missing", 1), Pair("country missing", 1), Pair("tags missing", 1),
                                      Pair("member missing", 1), Pair("title missing", 1), Pair("taste missing", 1)));
  EXPECT_THAT(encode_one(CategoryTransform{{"DE"}}, AttributeValue::of_text("")).sparse, ElementsAre(Pair("x missing", 1)));
}

TEST(AttributeEncoding, CategoriesThatAreUnknownAreRare) {
  const CategoryTransform country{{"DE", "1", "1.5", "true"}};
  EXPECT_THAT(encode_one(country, AttributeValue::of_text("DE")).sparse, ElementsAre(Pair("x = DE", 1)));
  EXPECT_THAT(encode_one(country, AttributeValue::of_text("XX")).sparse, ElementsAre(Pair("x = (rare)", 1)));
  EXPECT_THAT(encode_one(country, AttributeValue::of_number(1)).sparse, ElementsAre(Pair("x = 1", 1)));
  EXPECT_THAT(encode_one(country, AttributeValue::of_number(1.5)).sparse, ElementsAre(Pair("x = 1.5", 1)));
  EXPECT_THAT(encode_one(country, AttributeValue::of_flag(true)).sparse, ElementsAre(Pair("x = true", 1)));
}

TEST(AttributeEncoding, FlagsThatAreFalseHaveNoColumn) {
  EXPECT_THAT(encode_one(FlagTransform{}, AttributeValue::of_flag(true)).sparse, ElementsAre(Pair("x = true", 1)));
  EXPECT_THAT(encode_one(FlagTransform{}, AttributeValue::of_flag(false)).sparse, IsEmpty());
}

TEST(AttributeEncoding, SetsHaveLengthOne) {
  const SetTransform tags{{"a", "b", "c"}, false, {}};
  const auto half = FloatEq(std::sqrt(0.5f)), third = FloatEq(std::sqrt(1.0f / 3));
  EXPECT_THAT(encode_one(tags, AttributeValue::of_text("b| a |b|")).sparse, ElementsAre(Pair("x = a", half), Pair("x = b", half)));
  const std::vector<std::string_view> list{"c", "strange", "a", "stranger"};
  EXPECT_THAT(encode_one(tags, AttributeValue::of_texts(list)).sparse,
              ElementsAre(Pair("x = a", third), Pair("x = c", third), Pair("x = (rare)", third)));
  EXPECT_THAT(encode_one(tags, AttributeValue::of_texts({})).sparse, IsEmpty());  // known to be empty, which is not missing
}

TEST(AttributeEncoding, WeightedSetsAreLogarithmsTimesIdf) {
  const SetTransform words{{"tea", "pot"}, true, {1, 2, 0.5}};
  const double tea = std::log1p(3.0), pot = std::log1p(1.0) * 2, rare = std::log1p(6.0) * 0.5;
  const double length = std::sqrt(tea * tea + pot * pot + rare * rare);
  const auto near = [&](double value) { return ::testing::FloatNear(static_cast<float>(value / length), 1e-6f); };
  EXPECT_THAT(encode_one(words, AttributeValue::of_text("x:4|pot:1|tea:2|tea:1|y:z:2")).sparse,
              ElementsAre(Pair("x = tea", near(tea)), Pair("x = pot", near(pot)), Pair("x = (rare)", near(rare))));
}

TEST(AttributeEncoding, TextCountsWordsAndPairs) {
  TextTransform title{17, std::vector<float>(131072, 1), std::vector<std::string>(131072)};
  const auto name = [&](int32_t bucket, const char* word) { title.words[static_cast<size_t>(bucket)] = word; };
  name(word_bucket("red", 17), "red");
  name(word_bucket("tea", 17), "tea");
  name(pair_bucket("red", "tea", 17), "red tea");
  name(pair_bucket("tea", "red", 17), "tea red");
  title.idf[static_cast<size_t>(word_bucket("tea", 17))] = 3;
  const double red = std::log(3.0), tea = 3 * std::log(2.0), pair = std::log(2.0);
  const double length = std::sqrt(red * red + tea * tea + 2 * pair * pair);
  const auto near = [&](double value) { return ::testing::FloatNear(static_cast<float>(value / length), 1e-6f); };
  EXPECT_THAT(encode_one(title, AttributeValue::of_text("Red, TEA... red!")).sparse,
              ::testing::UnorderedElementsAre(Pair("x ~ red", near(red)), Pair("x ~ tea", near(tea)), Pair("x ~ red tea", near(pair)),
                                              Pair("x ~ tea red", near(pair))));
  EXPECT_THAT(encode_one(title, AttributeValue::of_text("?!")).sparse, IsEmpty());
}

TEST(AttributeEncoding, VectorsAreScaled) {
  const std::vector<float> vector{1, -2, 0};
  EXPECT_THAT(encode_one(VectorTransform{3, 0.5f}, AttributeValue::of_vector(vector)).dense, ElementsAre(0.5f, -1, 0));
}

TEST(AttributeEncoding, BadValuesAreNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(encode_one(kAge, AttributeValue::of_text("old")).error, "attribute x: text is no value of type number");
  EXPECT_EQ(encode_one(kAge, AttributeValue::of_number(nan)).error, "attribute x: the number is not finite");
  EXPECT_EQ(encode_one(kAge, AttributeValue::of_number(-infinity)).error, "attribute x: the number is not finite");
  EXPECT_EQ(encode_one(FlagTransform{}, AttributeValue::of_number(1)).error, "attribute x: a number is no value of type flag");
  const std::string long_text(kMaxCategoryBytes + 1, 'x');
  EXPECT_EQ(encode_one(CategoryTransform{}, AttributeValue::of_text(long_text)).error,
            "attribute x: the category has 65537 bytes; 64 KiB are the most");
  EXPECT_THAT(encode_one(CategoryTransform{}, AttributeValue::of_text(long_text.substr(1))).sparse, ElementsAre(Pair("x = (rare)", 1)));
  EXPECT_THAT(encode_one(SetTransform{}, AttributeValue::of_text("a|" + long_text)).error, HasSubstr("has 65537 bytes; 64 KiB"));
  const SetTransform words{{"tea"}, true, {1, 1}};
  for (const char* text : {"tea", "tea:", ":3", "tea:0", "tea:-1", "tea:nan", "tea:1e31", "tea:two"})
    EXPECT_THAT(encode_one(words, AttributeValue::of_text(text)).error, HasSubstr(std::string("attribute x: '") + text + "'")) << text;
  const std::vector<float> three{1, 2, 3}, bad{1, std::numeric_limits<float>::infinity()}, large{3e38f, 0};
  EXPECT_EQ(encode_one(VectorTransform{2, 1}, AttributeValue::of_vector(three)).error,
            "attribute x: the vector has 3 numbers where 2 belong");
  EXPECT_EQ(encode_one(VectorTransform{2, 1}, AttributeValue::of_vector(bad)).error, "attribute x: number 1 of the vector is not finite");
  EXPECT_EQ(encode_one(VectorTransform{2, 2}, AttributeValue::of_vector(large)).error, "attribute x: number 0 of the vector is too large");
  EXPECT_THAT(encode(schema_of({{"x", kAge}}), {}).error, HasSubstr("a row has 0 attributes where the schema has 1"));
}

// age | vector of 2 || colour: red, blue, rare, missing | tags: a, b, rare, missing | weighted: x, y, rare, missing | member: true, missing
// | title: 16 buckets, missing | age missing, vector missing first.
AttributeSchema schema_of_all_types() {
  std::vector<float> idf(16, 1.0f);
  return schema_of({{"age", kAge},
                    {"embedding", VectorTransform{.length = 2, .scale = 0.5f}},
                    {"colour", CategoryTransform{{"red", "blue"}}},
                    {"tags", SetTransform{.values = {"a", "b"}, .weighted = false, .idf = {}}},
                    {"weights", SetTransform{.values = {"x", "y"}, .weighted = true, .idf = {1.5f, 0.5f, 2.0f}}},
                    {"member", FlagTransform{}},
                    {"title", TextTransform{.bits = 4, .idf = idf, .words = std::vector<std::string>(16)}}});
}

struct Packed {
  std::vector<uint32_t> columns;
  std::vector<double> numbers;
  std::vector<uint8_t> there = {};
};

Encoded encode_packed(const AttributeSchema& schema, Packed& packed) {
  AttributeEncoder encoder(schema);
  Encoded out;
  out.dense.assign(static_cast<size_t>(schema.dense_count()), -99);
  packed.there.assign(schema.attributes().size(), 7);
  std::vector<int32_t> columns;
  std::vector<float> values;
  const absl::Status status = encoder.encode_packed({packed.columns, packed.numbers}, packed.there, out.dense, columns, values);
  if (!status.ok()) {
    out.error = message_of(status);
    EXPECT_TRUE(columns.empty() && values.empty());
    return out;
  }
  for (size_t i = 0; i < columns.size(); ++i) out.sparse.emplace_back(schema.column_name(columns[i]), values[i]);
  return out;
}

uint32_t column(const AttributeSchema& schema, const std::string& attribute, int32_t offset) {
  return static_cast<uint32_t>(schema.place(static_cast<size_t>(schema.find(attribute))).sparse + offset);
}

void expect_same(const Encoded& a, const Encoded& b) {
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.dense, b.dense);
  EXPECT_EQ(a.sparse, b.sparse);
}

TEST(PackedAttributeEncoding, IsThatOfTheSameValuesByName) {
  const AttributeSchema schema = schema_of_all_types();
  const std::vector<float> vector{3, -1};
  const std::vector<std::string_view> tags{"b", "something rare", "a"}, weights{"y:0.25", "x:3"};
  Packed packed{
      .columns = {0, 1, 2, column(schema, "colour", 1), column(schema, "tags", 0), column(schema, "tags", 1), column(schema, "tags", 2),
                  column(schema, "weights", 0), column(schema, "weights", 1), column(schema, "member", 0)},
      .numbers = {47.25, 3, -1, 1, 1, 1, 1, 3, 0.25, 1}};
  expect_same(encode_packed(schema, packed), encode(schema, {AttributeValue::of_number(47.25),
                                                             AttributeValue::of_vector(vector),
                                                             AttributeValue::of_text("blue"),
                                                             AttributeValue::of_texts(tags),
                                                             AttributeValue::of_texts(weights),
                                                             AttributeValue::of_flag(true),
                                                             {}}));
  EXPECT_THAT(packed.there, ElementsAre(1, 1, 1, 1, 1, 1, 0));
}

TEST(PackedAttributeEncoding, WhatIsFalseOrEmptyIsNotMissingAndWhatIsNotThereIs) {
  const AttributeSchema schema = schema_of_all_types();
  Packed packed{
      .columns = {column(schema, "colour", 3), column(schema, "tags", 0), column(schema, "weights", 1), column(schema, "member", 0)},
      .numbers = {1, 0, 0, 0}};
  expect_same(encode_packed(schema, packed),
              encode(schema, {{}, {}, {}, AttributeValue::of_texts({}), AttributeValue::of_texts({}), AttributeValue::of_flag(false), {}}));
  EXPECT_THAT(packed.there, ElementsAre(0, 0, 1, 1, 1, 1, 0));  // the colour was sent, as missing
  Packed nothing;
  expect_same(encode_packed(schema, nothing), encode(schema, std::vector<AttributeValue>(7)));
  EXPECT_THAT(nothing.there, ElementsAre(0, 0, 0, 0, 0, 0, 0));
}

TEST(PackedAttributeEncoding, RefusesWhatCannotBe) {
  const AttributeSchema schema = schema_of_all_types();
  const auto refusal = [&](std::vector<uint32_t> columns, std::vector<double> numbers) {
    Packed packed{.columns = std::move(columns), .numbers = std::move(numbers)};
    return encode_packed(schema, packed).error;
  };
  EXPECT_THAT(refusal({static_cast<uint32_t>(schema.column_count())}, {1}), HasSubstr("columns[0]"));
  EXPECT_THAT(refusal({4000000000u}, {1}), HasSubstr("columns[0] is 4000000000"));
  EXPECT_THAT(refusal({1, 0}, {1, 1}), HasSubstr("columns[1] is not above"));
  EXPECT_THAT(refusal({0, 0}, {1, 1}), HasSubstr("columns[1] is not above"));
  EXPECT_THAT(refusal({0}, {std::numeric_limits<double>::infinity()}), HasSubstr("numbers[0] is not finite"));
  EXPECT_THAT(refusal({1}, {1}), HasSubstr("of attribute embedding: column 2 is missing"));
  EXPECT_THAT(refusal({2}, {1}), HasSubstr("of attribute embedding: column 1 is missing"));
  EXPECT_THAT(refusal({1, 2}, {1, 1e300}), HasSubstr("too large"));
  EXPECT_THAT(refusal({column(schema, "colour", 0), column(schema, "colour", 1)}, {1, 1}), HasSubstr("a category has one value"));
  EXPECT_THAT(refusal({column(schema, "colour", 0)}, {0}), HasSubstr("a category has one value"));
  EXPECT_THAT(refusal({column(schema, "colour", 0)}, {2}), HasSubstr("must be 0 or 1"));
  EXPECT_THAT(refusal({column(schema, "colour", 0), column(schema, "colour", 3)}, {1, 1}), HasSubstr("says that the attribute is missing"));
  EXPECT_THAT(refusal({column(schema, "colour", 3)}, {0}), HasSubstr("must be 1: the attribute is missing"));
  EXPECT_THAT(refusal({0, column(schema, "age", 0)}, {30, 1}), HasSubstr("says that the attribute is missing"));
  EXPECT_THAT(refusal({column(schema, "tags", 0)}, {0.5}), HasSubstr("must be 0 or 1"));
  EXPECT_THAT(refusal({column(schema, "weights", 0)}, {-1}), HasSubstr("weight of 0 to 1e30"));
  EXPECT_THAT(refusal({column(schema, "title", 5)}, {1}), HasSubstr("a text cannot be packed"));
  EXPECT_EQ(refusal({column(schema, "title", 16)}, {1}), "");  // it is missing
}

TEST(AttributeLayout, ChangesWithWhatColumnsStandForAndWithNothingElse) {
  const auto layout = [](std::vector<Attribute> attributes) { return layout_version(schema_of(std::move(attributes))); };
  const std::string one = layout({{"age", kAge}, {"colour", CategoryTransform{{"red", "blue"}}}});
  EXPECT_EQ(one.size(), 16u);
  NumberTransform other = kAge;
  other.mean = 41;
  EXPECT_EQ(layout({{"age", other}, {"colour", CategoryTransform{{"red", "blue"}}}}), one);
  EXPECT_NE(layout({{"age", kAge}, {"colour", CategoryTransform{{"blue", "red"}}}}), one);
  EXPECT_NE(layout({{"colour", CategoryTransform{{"red", "blue"}}}, {"age", kAge}}), one);
  EXPECT_NE(layout({{"Age", kAge}, {"colour", CategoryTransform{{"red", "blue"}}}}), one);
  EXPECT_NE(layout({{"age", FlagTransform{}}, {"colour", CategoryTransform{{"red", "blue"}}}}), one);
  EXPECT_NE(layout({{"age", kAge}, {"colour", SetTransform{.values = {"red", "blue"}, .weighted = false, .idf = {}}}}), one);
}

}  // namespace
}  // namespace bouquet
