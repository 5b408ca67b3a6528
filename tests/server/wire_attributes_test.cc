// Attributes read where they lie are those that protobuf reads; whatever is laid out otherwise is left to it.
#include "server/wire_attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bouquet/v1/recommendations.pb.h"
#include "tests/server/wire_map.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using Kind = AttributeValue::Kind;

std::string sized(char tag, const std::string& bytes) { return tag + std::string(1, static_cast<char>(bytes.size())) + bytes; }
std::string entry(const std::string& fields) { return sized(0x4A, fields); }
std::string named(const std::string& name, const std::string& value) { return entry(sized(0x0A, name) + sized(0x12, value)); }

std::vector<WireAttribute> all_of(const WireAttributes& attributes) {
  std::vector<WireAttribute> out;
  WireAttributes::Cursor cursor(attributes);
  for (WireAttribute one; cursor.next(one);) out.push_back(one);
  return out;
}

TEST(WireAttributes, AreReadWhereTheyLieAndTheRestIsLeft) {
  v1::RecommendRequest request;
  request.mutable_visitor()->add_events()->set_item_id("tea");
  request.add_exclude_item_ids("pot");
  request.set_k(7);
  request.set_filter("price < 3");
  request.set_include_stddev(true);
  const v1::RecommendRequest without = request;
  auto& sent = *request.mutable_attributes();
  sent["age"].set_number(33.5);
  sent["member"].set_flag(true);
  sent["student"].set_flag(false);
  sent["Straße"].set_text("Ärmel");
  sent["unset"];
  for (const char* word : {"a", "", "é"}) sent["set"].mutable_texts()->add_values(word);
  sent["no set"].mutable_texts();
  for (const float x : {1.5f, -2.0f}) sent["vector"].mutable_vector()->add_values(x);
  sent["no vector"].mutable_vector();
  sent["long"].set_text(std::string(20000, 'x'));
  const std::string bytes = request.SerializeAsString();
  std::string rest;
  const auto attributes = WireAttributes::split(bytes, 10, rest);
  ASSERT_TRUE(attributes.has_value());
  EXPECT_EQ(rest, without.SerializeAsString());
  EXPECT_EQ(attributes->count(), 10);
  const AttributeMap read = map_of(*attributes);
  ASSERT_EQ(read.size(), 10u);
  for (const auto& [name, value] : read) EXPECT_EQ(value.SerializeAsString(), sent.at(name).SerializeAsString()) << name;
}

TEST(WireAttributes, StandInTheOrderSentWhateverStandsBetweenThem) {
  const std::string flag("\x10\x01", 2);
  const std::string bytes = named("b", flag) + "\x20\x07" + named("a", flag) + named("b", "") + "\x20\x09";
  std::string rest;
  const auto attributes = WireAttributes::split(bytes, 3, rest);
  ASSERT_TRUE(attributes.has_value());
  EXPECT_EQ(rest, "\x20\x07\x20\x09");
  std::vector<std::string> names;
  for (const WireAttribute& one : all_of(*attributes)) names.emplace_back(one.name);
  EXPECT_THAT(names, ElementsAre("b", "a", "b"));
}

TEST(WireAttributes, OfARequestWithoutAnyAreNone) {
  std::string rest;
  for (const std::string& bytes : {std::string(), std::string("\x20\x07")}) {
    const auto attributes = WireAttributes::split(bytes, 3, rest);
    ASSERT_TRUE(attributes.has_value());
    EXPECT_TRUE(attributes->empty());
    EXPECT_TRUE(all_of(*attributes).empty());
  }
}

TEST(WireAttributes, AreLeftToProtobufIfAnythingIsUnusual) {
  const std::string flag("\x10\x01", 2), name = sized(0x0A, "a"), value = sized(0x12, flag), good = named("a", flag);
  const std::vector<std::pair<const char*, std::string>> unusual = {
      {"more than asked for", good + good + good},
      {"the value before the name", entry(value + name)},
      {"no name", entry(value)},
      {"no value", entry(name)},
      {"two values", entry(name + value + value)},
      {"an unknown field in an entry", entry(name + value + std::string("\x18\x01", 2))},
      {"an unknown field in a value", named("a", flag + std::string("\x30\x01", 2))},
      {"two kinds of value", named("a", flag + sized(0x1A, "x"))},
      {"a flag that is 2", named("a", "\x10\x02")},
      {"a flag in more bytes", named("a", std::string("\x10\x81\x00", 3))},
      {"a number cut off", named("a", "\x09\x01\x02")},
      {"a vector that is not packed", named("a", sized(0x2A, std::string("\x0D\x00\x00\x80\x3F", 5)))},
      {"a vector of three bytes", named("a", sized(0x2A, sized(0x0A, "abc")))},
      {"a vector in two parts", named("a", sized(0x2A, sized(0x0A, "abcd") + sized(0x0A, "abcd")))},
      {"a list with something else in it", named("a", sized(0x22, sized(0x12, "x")))},
      {"a name that is not UTF-8", named("a\xFF", flag)},
      {"a text that is not UTF-8", named("a", sized(0x1A, "\xC0\x80"))},
      {"a list with a text that is not UTF-8", named("a", sized(0x22, sized(0x0A, "12345678\xFF")))},
      {"a length past the end", good + "\x4A\x7F"},
      {"an entry cut off", good.substr(0, good.size() - 1)},
      {"a group", good + "\x23\x24"},
      {"another type of field 9", good + std::string("\x48\x01", 2)},
      {"field 9 with its tag in two bytes", good + std::string("\xCA\x00\x00", 3)},
      {"field 0", good + std::string("\x02\x00", 2)},
      {"a number without an end", good + std::string("\x20\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12)},
  };
  std::string rest;
  ASSERT_TRUE(WireAttributes::split(good + good, 2, rest).has_value());
  for (const auto& [what, bytes] : unusual) EXPECT_FALSE(WireAttributes::split(bytes, 2, rest).has_value()) << what;
}

TEST(WireAttributes, OfABatchAreApartRequestByRequest) {
  const std::string bytes = sized(0x0A, "first") + sized(0x0A, "") + sized(0x0A, "third");
  const auto requests = batched_requests(bytes);
  ASSERT_TRUE(requests.has_value());
  EXPECT_THAT(*requests, ElementsAre("first", "", "third"));
  EXPECT_TRUE(batched_requests("")->empty());
  for (const std::string& unusual : {sized(0x12, "another field"), std::string("\x0A\x7F", 2), sized(0x0A, "x") + "\x0A"})
    EXPECT_FALSE(batched_requests(unusual).has_value());
}

}  // namespace
}  // namespace bouquet::server
