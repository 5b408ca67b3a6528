#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonlReading : public ReaderTest {
 protected:
  Dataset rows(std::string_view text) { return must_read(text, "events.jsonl"); }
  std::string row_error(std::string_view text) { return error(text, "events.jsonl"); }
};

TEST_F(JsonlReading, ReadsObjectsLineByLine) {
  const Dataset dataset = rows(
      "{\"customer_id\":\"ann\",\"item_id\":\"a\",\"time\":\"2020-01-01\",\"value\":2,\"extra\":{\"x\":[1,2]}}\n"
      "\n"
      "{\"time\":1.5,\"item_id\":7,\"customer_id\":\"ann\"}\r\n"
      "{\"time\":3,\"item_id\":\"caf\\u00e9\",\"customer_id\":17850.0}");
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:7", "ann:a", "17850:caf\xc3\xa9"));
  EXPECT_THAT(dataset.events.values, ElementsAre(1, 2, 1));
  EXPECT_THAT(dataset.events.times, ElementsAre(1500000, 1577836800000000, 3000000));
}

TEST_F(JsonlReading, NumbersAsIdsMustBeWhole) {
  EXPECT_THAT(pairs(rows("{\"customer_id\":1e3,\"item_id\":18446744073709551615}\n{\"customer_id\":-0,\"item_id\":2}\n")),
              ElementsAre("1000:18446744073709551615", "0:2"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":3.14}\n"),
              HasSubstr("events.jsonl:1: column item_id: '3.14' is not a whole number, so it cannot be an id"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":12345678901234567890123}\n"),
              HasSubstr("events.jsonl:1: is not a JSON object"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":1e300}\n"), HasSubstr("is too large to be an id"));
}

TEST_F(JsonlReading, TextIdsAreKeptAsTheyAre) {
  EXPECT_THAT(pairs(rows("{\"customer_id\":\"1.0\",\"item_id\":\"3.14\"}\n{\"customer_id\":\"1\",\"item_id\":\"x\"}\n")),
              ElementsAre("1.0:3.14", "1:x"));
}

TEST_F(JsonlReading, NullAndMissingCustomersAreAnonymous) {
  const Dataset dataset =
      rows("{\"customer_id\":\"ann\",\"item_id\":\"a\"}\n{\"customer_id\":null,\"item_id\":\"b\"}\n{\"item_id\":\"c\"}\n");
  EXPECT_THAT(pairs(dataset), ElementsAre(":b", ":c", "ann:a"));
}

TEST_F(JsonlReading, MissingNestedAndWrongValuesAreBadRows) {
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":\"x\"}\n{\"customer_id\":\"a\"}\n"),
              HasSubstr("events.jsonl:2: column item_id: is empty"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":[\"x\"]}\n"),
              HasSubstr("events.jsonl:1: column item_id: 'x' is nested, not an id"));
  EXPECT_THAT(row_error("{\"customer_id\":{\"id\":1},\"item_id\":\"x\"}\n"), HasSubstr("column customer_id: 'id:1' is nested"));
  EXPECT_THAT(row_error("{\"customer_id\":true,\"item_id\":\"x\"}\n"), HasSubstr("is true or false, not an id"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":\"x\",\"value\":\"many\"}\n"),
              HasSubstr("column value: 'many' is not a number"));
  EXPECT_THAT(row_error("{\"customer_id\":\"a\",\"item_id\":\"x\",\"item_id\":\"y\"}\n"), HasSubstr("events.jsonl:1: has 'item_id' twice"));
}

TEST_F(JsonlReading, BrokenLinesAreBadRowsAndTheRestIsRead) {
  const std::string good = "{\"customer_id\":\"ann\",\"item_id\":\"a\"}\n{\"customer_id\":\"ann\",\"item_id\":\"b\"}\n";
  options_.max_bad_rows = 1;
  for (const char* bad : {"{\"customer_id\":\"ann\",\"item_id\":", "{\"customer_id\":\"ann\" \"item_id\":\"c\"}",
                          "{\"customer_id\":\"ann\",\"item_id\":\"c\"} x", "17", "[1,2]", "{\"customer_id\":\"ann\",\"item_id\":\"c\"}{}",
                          "not json", "{\"customer_id\":\"\\ud800\",\"item_id\":\"c\"}", "{\"customer_id\":nul,\"item_id\":\"c\"}",
                          "{\"customer_id\":1.2.3,\"item_id\":\"c\"}", "{customer_id:\"ann\",item_id:\"c\"}", "{"}) {
    const Dataset dataset = rows(good + bad + "\n" + good);
    EXPECT_EQ(dataset.report.bad_rows, 1) << bad;
    EXPECT_EQ(dataset.events.size(), 4) << bad;
    ASSERT_FALSE(dataset.report.first_bad_rows.empty()) << bad;
    EXPECT_THAT(dataset.report.first_bad_rows[0].message, HasSubstr("events.jsonl:3: ")) << bad;
  }
}

TEST_F(JsonlReading, AMissingColumnNamesTheNearest) {
  EXPECT_THAT(row_error("{\"customer\":\"a\",\"item_id\":\"x\"}\n"),
              HasSubstr("there is no column 'customer_id' for the customer; the nearest name is 'customer'"));
}

TEST_F(JsonlReading, ArraysAndEmptyFilesAreNamed) {
  EXPECT_THAT(row_error("[{\"customer_id\":\"a\"}]\n"), HasSubstr("is a JSON array"));
  EXPECT_THAT(row_error("  \n\n"), HasSubstr("is empty; every line must be a JSON object"));
  EXPECT_THAT(row_error("customer_id,item_id\na,b\n"), HasSubstr("is not a JSON object on one line"));
  EXPECT_THAT(row_error("{}\n"), HasSubstr("the objects have no members"));
}

TEST_F(JsonlReading, LineNumbersAreRightAcrossBlocks) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "{\"customer_id\":\"ann\",\"item_id\":\"i" + std::to_string(i) + "\"}\n";
  options_.block_bytes = 100;
  EXPECT_EQ(rows(text).events.size(), 300);
  EXPECT_THAT(row_error(text + "{\"customer_id\":\"ann\"}\n"), HasSubstr("events.jsonl:301: column item_id: is empty"));
}

}  // namespace
}  // namespace bouquet::training
