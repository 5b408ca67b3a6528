#include "engine/attribute_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/attribute_rows.h"
#include "engine/attribute_schema_json.h"
#include "engine/errors.h"
#include "engine/views.h"

namespace bouquet {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::vector<Attribute> one_of_each() {
  TextTransform title{4, std::vector<float>(16, 1.5f), std::vector<std::string>(16)};
  title.words[3] = "tea";
  return {{"age", NumberTransform{true, -0.1, 1.0 / 3, 0.1, 0.7}},
          {"country", CategoryTransform{{"DE", "ÄÖ\"|"}}},
          {"words", SetTransform{{"w"}, true, {0.1f, 2}}},
          {"member", FlagTransform{}},
          {"title", title},
          {"taste", VectorTransform{2, 0.3f}}};
}

std::string refusal(std::vector<Attribute> attributes) {
  const auto schema = AttributeSchema::make(std::move(attributes));
  return schema.ok() ? "accepted" : std::string(message_of(schema.status()));
}

TEST(AttributeSchema, NumbersDenseColumnsFirst) {
  const auto schema = AttributeSchema::make(one_of_each());
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ(schema->dense_count(), 3);
  EXPECT_EQ(schema->column_count(), 3 + 1 + 4 + 3 + 2 + 17 + 1);
  std::vector<std::string> names;
  for (int32_t c = 0; c < schema->column_count(); ++c) names.push_back(schema->column_name(c));
  EXPECT_THAT(names, ::testing::ElementsAreArray({"age",
                                                  "taste[0]",
                                                  "taste[1]",
                                                  "age missing",
                                                  "country = DE",
                                                  "country = ÄÖ\"|",
                                                  "country = (rare)",
                                                  "country missing",
                                                  "words = w",
                                                  "words = (rare)",
                                                  "words missing",
                                                  "member = true",
                                                  "member missing",
                                                  "title ~ (bucket 0)",
                                                  "title ~ (bucket 1)",
                                                  "title ~ (bucket 2)",
                                                  "title ~ tea",
                                                  "title ~ (bucket 4)",
                                                  "title ~ (bucket 5)",
                                                  "title ~ (bucket 6)",
                                                  "title ~ (bucket 7)",
                                                  "title ~ (bucket 8)",
                                                  "title ~ (bucket 9)",
                                                  "title ~ (bucket 10)",
                                                  "title ~ (bucket 11)",
                                                  "title ~ (bucket 12)",
                                                  "title ~ (bucket 13)",
                                                  "title ~ (bucket 14)",
                                                  "title ~ (bucket 15)",
                                                  "title missing",
                                                  "taste missing"}));
  EXPECT_EQ(schema->find("member"), 3);
  EXPECT_EQ(schema->find("nothing"), kNone);
}

TEST(AttributeSchema, RefusesTheColumnPastTheLimits) {
  std::vector<Attribute> numbers;
  for (int i = 0; i < kMaxDenseAttributeColumns; ++i) numbers.push_back({"n" + std::to_string(i), NumberTransform{}});
  EXPECT_EQ(refusal(numbers), "accepted");
  numbers.push_back({"last", NumberTransform{}});
  EXPECT_EQ(refusal(numbers),
            "attribute last: up to this one the attributes have 5001 dense columns (numbers and vectors); 5000 are the most");
  const TextTransform large{17, std::vector<float>(131072), std::vector<std::string>(131072)};
  EXPECT_EQ(refusal({{"a", large}}), "accepted");
  EXPECT_THAT(refusal({{"a", large}, {"b", large}}), HasSubstr("attribute b: up to this one the attributes have 262146 columns; 200000"));
}

TEST(AttributeSchema, RefusesImpossibleTransforms) {
  EXPECT_THAT(refusal({{"", FlagTransform{}}}), HasSubstr("1 to 1024 bytes"));
  EXPECT_EQ(refusal({{"a", FlagTransform{}}, {"a", FlagTransform{}}}), "attribute a: is there twice");
  EXPECT_THAT(refusal({{"a", NumberTransform{.low = 1, .high = 0}}}), HasSubstr("in order"));
  EXPECT_THAT(refusal({{"a", NumberTransform{.deviation = 0}}}), HasSubstr("deviation"));
  EXPECT_THAT(refusal({{"a", NumberTransform{.low = 0, .high = 1, .deviation = 1e-300}}}), HasSubstr("deviation"));
  EXPECT_THAT(refusal({{"a", CategoryTransform{{"x", "x"}}}}), HasSubstr("distinct"));
  EXPECT_THAT(refusal({{"a", SetTransform{{"x"}, true, {1}}}}), HasSubstr("idf"));
  EXPECT_THAT(refusal({{"a", SetTransform{{"x"}, false, {1, 1}}}}), HasSubstr("idf"));
  EXPECT_THAT(refusal({{"a", TextTransform{3, {}, {}}}}), HasSubstr("bits"));
  EXPECT_THAT(refusal({{"a", TextTransform{4, std::vector<float>(15), std::vector<std::string>(16)}}}), HasSubstr("bucket"));
  EXPECT_THAT(refusal({{"a", VectorTransform{0, 1}}}), HasSubstr("from 1 to 5000"));
  EXPECT_THAT(refusal({{"a", VectorTransform{1, 0}}}), HasSubstr("scale"));
}

TEST(AttributeSchemaJson, ReadsBackToTheBit) {
  const auto schema = AttributeSchema::make(one_of_each());
  ASSERT_TRUE(schema.ok());
  const std::string text = attribute_schema_text(*schema);
  const auto again = parse_attribute_schema(text);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(attribute_schema_text(*again), text);
  const auto& age = std::get<NumberTransform>(again->attributes()[0].transform);
  EXPECT_EQ(age.high, 1.0 / 3);
  EXPECT_TRUE(age.log1p);
  EXPECT_EQ(std::get<SetTransform>(again->attributes()[2].transform).idf, (std::vector<float>{0.1f, 2}));
  EXPECT_EQ(std::get<VectorTransform>(again->attributes()[5].transform).scale, 0.3f);
}

TEST(AttributeSchemaJson, NamesWhatIsWrong) {
  const Json good = Json::parse(attribute_schema_text(AttributeSchema::make(one_of_each()).value()));
  const auto error = [&](const std::string& pointer, const Json& value) {
    Json changed = good;
    changed[Json::json_pointer(pointer)] = value;
    const auto schema = parse_attribute_schema(changed.dump());
    if (schema.ok()) return std::string("accepted");
    EXPECT_EQ(exit_code(schema.status()), kExitBadInput);
    return std::string(message_of(schema.status()));
  };
  EXPECT_THAT(error("/format", 2), HasSubstr("format 2 of attributes is unknown; this program reads format 1"));
  EXPECT_THAT(error("/attributes", 5), HasSubstr("attributes is not an array"));
  EXPECT_THAT(error("/attributes/1/type", "colour"), HasSubstr("attributes[1].type is 'colour'"));
  EXPECT_THAT(error("/attributes/0/mean", "x"), HasSubstr("attributes[0].mean is not a number"));
  EXPECT_THAT(error("/attributes/0/deviation", 0), HasSubstr("attribute age: its deviation"));
  EXPECT_THAT(error("/attributes/2/idf/0", "x"), HasSubstr("attributes[2].idf holds something that is not a number"));
  EXPECT_THAT(error("/attributes/4/bits", 18), HasSubstr("attributes[4].bits is not an integer from 4 to 17"));
  EXPECT_THAT(error("/attributes/5/length", 5001), HasSubstr("attributes[5].length"));
  EXPECT_THAT(error("/attributes/3/name", "age"), HasSubstr("attribute age: is there twice"));
  EXPECT_EQ(message_of(parse_attribute_schema("{").status()), "is not valid JSON");
}

}  // namespace
}  // namespace bouquet
