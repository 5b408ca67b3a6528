// Golden rows: what each type's transform makes of each kind of value.
#include "engine/attribute_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

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

}  // namespace
}  // namespace bouquet
