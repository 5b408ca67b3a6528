#include "engine/item_filter.h"
#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::HasSubstr;

class ItemFiles : public ReaderTest {
 protected:
  absl::StatusOr<Dataset> read_items(std::string_view items, const std::string& name = "items.csv") {
    options_.item_files = {write(name, items)};
    return read("customer_id,item_id\nann,a\nann,b\nbob,c\n");
  }
  std::string item_error(std::string_view items, const std::string& name = "items.csv") {
    return error_of(read_items(items, name).status());
  }
};

TEST_F(ItemFiles, GiveTitlesCategoriesAndKinds) {
  const auto dataset =
      read_items("title,item_id,kind,category\nAn apple,a,product,fruit\n\"Read, me\",c,Content,\nNo event,zzz,ACTION,x\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Catalog& catalog = dataset->catalog;
  EXPECT_EQ(catalog.titles.at(0), "An apple");
  EXPECT_EQ(catalog.titles.at(1), "");
  EXPECT_EQ(catalog.titles.at(2), "Read, me");
  EXPECT_EQ(catalog.categories.at(0), "fruit");
  EXPECT_EQ(catalog.kind(0), ItemKind::kProduct);
  EXPECT_EQ(catalog.kind(1), ItemKind::kProduct);
  EXPECT_EQ(catalog.kind(2), ItemKind::kContent);
  EXPECT_EQ(dataset->items.size(), 3);
  EXPECT_EQ(dataset->report.unknown_items, 1);
  EXPECT_THAT(dataset->sources, ::testing::ElementsAre("events.csv", "items.csv"));
}

// What filters leave of three items a, b, c.
std::string passing(std::string_view filter, const Catalog& catalog) {
  const auto words = items_passing(filter, catalog, 3);
  if (!words.ok()) return std::string(words.status().message());
  std::string ids;
  for (int i = 0; i < 3; ++i)
    if (((*words)[0] >> i & 1) != 0) ids += static_cast<char>('a' + i);
  return ids;
}

TEST_F(ItemFiles, GiveFiltersTheirColumns) {
  const auto dataset = read_items(
      "item_id,price,stock,available,brand,tags,available_from,since\n"
      "a,9.5,3,yes,Ann & Co,red|blue,2026-02-01 10:00:00+01:00,2025-01-31\nb,20,0,no,Bob,,,2026-01-01\nc,,,,,green,,\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Catalog& catalog = dataset->catalog;
  ASSERT_TRUE(validate(catalog.columns, 3).ok());
  EXPECT_EQ(passing("price < 20", catalog), "a");
  EXPECT_EQ(passing("NOT price < 10", catalog), "b");
  EXPECT_EQ(passing("stock = 0", catalog), "b");
  EXPECT_EQ(passing("available = true", catalog), "a");
  EXPECT_EQ(passing("brand = \"Ann & Co\" OR tags: ANY(\"green\")", catalog), "ac");
  EXPECT_EQ(passing("available_from = \"2026-02-01T09:00:00Z\"", catalog), "a");
  EXPECT_EQ(passing("since < \"2026\"", catalog), "a");
  EXPECT_EQ(passing("prise < 20", catalog), "column 1: the items have no attribute 'prise'; the nearest is 'price'");
}

TEST_F(ItemFiles, GiveFiltersTypesAsSettingsSay) {
  options_.attribute_settings.item = {{"size", {.type = AttributeType::kCategory}},
                                      {"words", {.type = AttributeType::kSet, .weighted = true}},
                                      {"hidden", {.ignore = true}},
                                      {"taste", {.type = AttributeType::kVector}}};
  const auto dataset = read_items("item_id,size,words,hidden,taste\na,38,tea:2|pot:1,x,1|2\nb,40,,y,3|4\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(passing("size = \"38\"", dataset->catalog), "a");
  EXPECT_EQ(passing("words: ANY(\"pot\")", dataset->catalog), "a");
  EXPECT_EQ(passing("hidden = \"y\"", dataset->catalog), "b");
  EXPECT_EQ(dataset->catalog.columns.columns.size(), 3u);  // a vector is nothing to ask for
}

TEST_F(ItemFiles, WrongValuesOfColumnsAreBadRowsOnce) {
  EXPECT_THAT(item_error("item_id,price\nb,dear\n"), HasSubstr("items.csv:2: column price: 'dear' is not a number"));
  EXPECT_THAT(item_error("item_id,available\nb,perhaps\n"),
              HasSubstr("items.csv:2: column available: 'perhaps' is neither true nor false"));
  EXPECT_THAT(item_error("item_id,available_until\nb,later\n"), HasSubstr("items.csv:2: column available_until: 'later' is not a time"));
  options_.max_bad_rows = 5;
  options_.attributes = true;
  options_.attribute_settings.item["weight"].type = AttributeType::kNumber;
  const auto dataset = read_items("item_id,title,weight\na,x,heavy\nb,y,2\nc,z,3\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->report.bad_rows, 1);
  EXPECT_EQ(dataset->catalog.titles.at(0), "");
  EXPECT_EQ(passing("weight > 0", dataset->catalog), "bc");
}

TEST_F(ItemFiles, MapThePriceWhereTheyHaveIt) {
  options_.columns = parse_columns("price=UnitPrice|cost").value();
  const std::string events = "customer_id,item_id,UnitPrice\nann,a,1\nann,b,2\nbob,c,3\n";
  options_.item_files = {write("items.csv", "item_id,price,cost\nb,4,3\n")};
  EXPECT_EQ(passing("price = 3", must_read(events).catalog), "b");
  options_.item_files = {write("items.csv", "item_id,price\nb,4\n")};
  EXPECT_EQ(passing("price = 4", must_read(events).catalog), "b");  // UnitPrice is a name of the events alone
}

TEST_F(ItemFiles, KeepAThousandColumns) {
  std::string names = "item_id", values = "a";
  for (int c = 0; c < 1002; ++c) {
    names += ",c" + std::to_string(c);
    values += "," + std::to_string(c);
  }
  const auto dataset = read_items(names + "\n" + values + "\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->catalog.columns.columns.size(), 1000u);
  EXPECT_EQ(dataset->report.item_columns_left_out, 2);
}

TEST_F(ItemFiles, MapTheirColumns) {
  options_.columns = parse_columns("item=item_id,title=product_type,category=department").value();
  const auto dataset = read_items("item_id,product_type,department\nb,SOUP,GROCERY\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->catalog.titles.at(1), "SOUP");
  EXPECT_EQ(dataset->catalog.categories.at(1), "GROCERY");
  EXPECT_THAT(item_error("item_id,product_typ\nb,SOUP\n"),
              HasSubstr("no column 'product_type' or 'title' for the title; the nearest name is 'product_typ'"));
}

TEST_F(ItemFiles, TwoRowsForOneItemAreRefused) {
  EXPECT_THAT(item_error("item_id,title\na,x\nb,y\na,z\n"), HasSubstr("items.csv:4: item 'a' has a row already"));
  EXPECT_THAT(item_error("item_id,title\nq,x\nq,y\n"), HasSubstr("items.csv:3: item 'q' has a row already"));
  write("more.csv", "item_id,title\na,x\n");
  options_.item_files = {write("items.csv", "item_id,title\na,x\n"), path("more.csv")};
  EXPECT_THAT(error("customer_id,item_id\nann,a\nann,b\n"), HasSubstr("more.csv:2: item 'a' has a row already"));
}

TEST_F(ItemFiles, BadRowsAreNamed) {
  EXPECT_THAT(item_error("item_id,kind\na,gadget\n"),
              HasSubstr("items.csv:2: column kind: 'gadget' is not a kind of item (PRODUCT, CONTENT, ACTION)"));
  EXPECT_THAT(item_error("item_id,title\n,x\n"), HasSubstr("items.csv:2: column item_id: is empty"));
  EXPECT_THAT(item_error("item_id,title\na,\xff\n"), HasSubstr("column title"));
  EXPECT_THAT(item_error("item,title\na,x\n"), HasSubstr("there is no column 'item_id' for the item"));
  options_.item_files = {path("none.csv")};
  EXPECT_THAT(error("customer_id,item_id\nann,a\nann,b\n"), HasSubstr("none.csv: there is no such file"));
}

TEST_F(ItemFiles, LongTitlesAreCutAtACharacter) {
  std::string title(1023, 'x');
  title += "\xc3\xa4 and more";
  const auto dataset = read_items("item_id,title\na," + title + "\n");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->catalog.titles.at(0), std::string(1023, 'x'));
}

TEST_F(ItemFiles, WithoutFilesThereIsNoCatalog) {
  const Dataset dataset = must_read("customer_id,item_id\nann,a\nann,b\n");
  EXPECT_EQ(dataset.catalog.titles.at(0), "");
  EXPECT_EQ(dataset.catalog.kind(1), ItemKind::kProduct);
}

TEST_F(ItemFiles, JsonLinesWork) {
  const auto dataset =
      read_items("{\"item_id\":\"a\",\"title\":\"Apple\",\"kind\":null}\n{\"item_id\":\"b\",\"kind\":\"ACTION\"}\n", "items.jsonl");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->catalog.titles.at(0), "Apple");
  EXPECT_EQ(dataset->catalog.kind(1), ItemKind::kAction);
}

}  // namespace
}  // namespace bouquet::training
