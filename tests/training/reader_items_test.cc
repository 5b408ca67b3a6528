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
