#include "training/attribute_files.h"

#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AttributeFiles : public ReaderTest {
 protected:
  AttributeFiles() { options_.attributes = true; }

  // A dataset of customers ann, bob, cy, dee on items a, b with these attributes.
  absl::StatusOr<Dataset> read_customers(std::string_view customers, const std::string& name = "customers.csv") {
    options_.customer_files = {write(name, customers)};
    return read("customer_id,item_id\nann,a\nbob,b\ncy,a\ndee,b\n");
  }
  EntityAttributes customers(std::string_view text, const std::string& name = "customers.csv") {
    auto dataset = read_customers(text, name);
    if (!dataset.ok()) {
      ADD_FAILURE() << dataset.status();
      return {};
    }
    return std::move(dataset->customer_attributes);
  }
  std::string customer_error(std::string_view text, const std::string& name = "customers.csv") {
    return error_of(read_customers(text, name).status());
  }
  void set(const std::string& name, AttributeSetting setting) { options_.attribute_settings.customer[name] = setting; }

  static std::vector<std::string> types(const EntityAttributes& read) {
    std::vector<std::string> all;
    for (const Attribute& a : read.schema.attributes()) all.push_back(a.name + ": " + std::string(attribute_type_name(a.type())));
    return all;
  }
  // The names of the sparse columns that a row has.
  static std::vector<std::string> columns(const EntityAttributes& read, int64_t row) {
    std::vector<std::string> names;
    for (const int32_t column : read.table.rows().row_columns(row)) names.push_back(read.schema.column_name(column));
    return names;
  }
  static std::vector<std::string> findings(const EntityAttributes& read) {
    std::vector<std::string> all;
    for (const AttributeFinding& finding : read.findings) all.push_back(finding.attribute + " " + finding.message);
    return all;
  }
};

TEST_F(AttributeFiles, RowsAreThoseOfTheDatasetInWhateverOrderTheyStand) {
  set("city", {.type = AttributeType::kCategory, .min_count = 1});
  const EntityAttributes read = customers("age,customer_id,city\n30,dee,Bonn\n,nobody,Ulm\n20,bob,\n,ann,Bonn\n");
  ASSERT_THAT(types(read), ElementsAre("age: number", "city: category"));
  EXPECT_TRUE(validate(read.table.rows(), 4).ok());
  EXPECT_THAT(columns(read, 0), ElementsAre("age missing", "city = Bonn"));
  EXPECT_THAT(columns(read, 1), ElementsAre("city missing"));
  EXPECT_THAT(columns(read, 2), ElementsAre("age missing", "city missing"));  // cy has no row
  EXPECT_THAT(columns(read, 3), ElementsAre("city = Bonn"));
  EXPECT_THAT(read.table.dense.view(), ElementsAre(0, -1, 0, 1));
  EXPECT_EQ(read.rows, 4);
  EXPECT_EQ(read.unknown_rows, 1);
  EXPECT_EQ(read.without_row, 1);
}

TEST_F(AttributeFiles, GuessTypesFromWhatTheValuesCanBeReadAs) {
  const std::string text =
      "customer_id,number,flag,tags,note,day\nann,1.5,true,a|b,note of ann,2024-05-01\nbob,2,false,b,note of bob,2024-05-02\n"
      "cy,3,,c|a,a note,2024-05-01\ndee,,true,b,dee,2024-05-01\n";
  const EntityAttributes read = customers(text);
  EXPECT_THAT(types(read), ElementsAre("number: number", "flag: flag", "tags: set", "note: text"));
  EXPECT_THAT(findings(read), ElementsAre(HasSubstr("day holds times, which are no attribute; it is left out")));
}

TEST_F(AttributeFiles, OneWrongNumberInAHundredIsABadRow) {
  std::string events = "customer_id,item_id\n", text = "customer_id,age\n";
  for (int c = 0; c < 150; ++c) {
    events += "c" + std::to_string(c) + ",i" + std::to_string(c % 3) + "\n";
    text += "c" + std::to_string(c) + "," + (c == 70 ? "old" : std::to_string(c % 50)) + "\n";
  }
  options_.customer_files = {write("customers.csv", text)};
  EXPECT_THAT(error(events), HasSubstr("customers.csv:72: column age: 'old' is not a number"));
  options_.max_bad_rows = 1;
  const Dataset dataset = must_read(events);
  EXPECT_EQ(dataset.report.bad_rows, 1);
  EXPECT_THAT(columns(dataset.customer_attributes, 70), ElementsAre("age missing"));
  EXPECT_EQ(dataset.customer_attributes.without_row, 1);
}

TEST_F(AttributeFiles, BadValuesAreNamedWithTheirPlace) {
  set("x", {.type = AttributeType::kNumber});
  const auto number = [&](const std::string& value) { return customer_error("customer_id,x\nann," + value + "\nbob,1\n"); };
  EXPECT_THAT(number("nan"), HasSubstr("customers.csv:2: column x: 'nan' is not a finite number"));
  EXPECT_THAT(number("-inf"), HasSubstr("'-inf' is not a finite number"));
  EXPECT_THAT(number("1e999"), HasSubstr("'1e999' is not a finite number"));
  EXPECT_THAT(customer_error("{\"customer_id\":\"ann\",\"x\":[1,2]}\n", "customers.jsonl"), HasSubstr("'1|2' is not a number"));
  set("x", {.type = AttributeType::kFlag});
  EXPECT_THAT(number("perhaps"), HasSubstr("'perhaps' is neither true nor false"));
  set("x", {.type = AttributeType::kCategory});
  EXPECT_THAT(number(std::string(65537, 'x')), HasSubstr("is longer than 64 KiB, the most a category may have"));
  EXPECT_THAT(number("\xff"), HasSubstr("is not valid UTF-8"));
  set("x", {.type = AttributeType::kSet});
  EXPECT_THAT(number(std::string(65537, 'x')), HasSubstr("attribute x: an element of the set has 65537 bytes; 64 KiB are the most"));
  set("x", {.type = AttributeType::kSet, .weighted = true});
  EXPECT_THAT(number("tea:2|pot"), HasSubstr("customers.csv:2: attribute x: 'pot' is not of the form word:weight"));
  set("x", {.type = AttributeType::kVector});
  EXPECT_THAT(number("1|2"), HasSubstr("customers.csv:3: attribute x: the vector has 1 numbers where 2 belong, as in the first one"));
  EXPECT_THAT(number("1|two"), HasSubstr("'1|two' is not a list of finite numbers"));
}

TEST_F(AttributeFiles, WrongFilesAreNamed) {
  EXPECT_THAT(customer_error("customer_id,x\nann,1\nzoe,2\nzoe,3\n"), HasSubstr("customers.csv:4: customer 'zoe' has a row already"));
  EXPECT_THAT(customer_error("customer,x\nann,1\n"), HasSubstr("there is no column 'customer_id' for the customer"));
  EXPECT_THAT(customer_error("customer_id,x\n,1\n"), HasSubstr("customers.csv:2: column customer_id: is empty"));
  set("agee", {.type = AttributeType::kNumber});
  EXPECT_THAT(customer_error("customer_id,age\nann,1\n"),
              HasSubstr("[attributes.customer.agee]: no file of attributes has this column; did you mean 'age'?"));
  options_.customer_files = {};
  EXPECT_THAT(error("customer_id,item_id\nann,a\nbob,b\n"), HasSubstr("[attributes.customer.agee]: no file has such attributes"));
  options_.customer_files = {"-"};
  EXPECT_THAT(error("customer_id,item_id\nann,a\nbob,b\n"), HasSubstr("cannot come from standard input; name a file"));
}

TEST_F(AttributeFiles, TheColumnPastTheLimitIsNamed) {
  std::string names = "customer_id", first = "ann", second = "bob";
  for (int c = 0; c <= kMaxDenseAttributeColumns; ++c) {
    names += ",n" + std::to_string(c);
    first += ",1";
    second += ",2";
  }
  EXPECT_THAT(customer_error(names + "\n" + first + "\n" + second + "\n"),
              HasSubstr("attribute n5000: up to this one the attributes have 5001 dense columns"));
}

TEST_F(AttributeFiles, SeveralFilesAreOneTable) {
  options_.customer_files = {write("one.csv", "customer_id,age\nann,20\nbob,40\n"),
                             write("two.jsonl", "{\"customer_id\":\"cy\",\"member\":true}\n{\"customer_id\":\"dee\",\"member\":false}\n")};
  const Dataset dataset = must_read("customer_id,item_id\nann,a\nbob,b\ncy,a\ndee,b\n");
  EXPECT_THAT(types(dataset.customer_attributes), ElementsAre("age: number", "member: flag"));
  EXPECT_THAT(columns(dataset.customer_attributes, 0), ElementsAre("member missing"));
  EXPECT_THAT(columns(dataset.customer_attributes, 2), ElementsAre("age missing", "member = true"));
  EXPECT_THAT(columns(dataset.customer_attributes, 3), ElementsAre("age missing"));
  EXPECT_THAT(dataset.sources, ElementsAre("events.csv", "one.csv", "two.jsonl"));
}

TEST_F(AttributeFiles, JsonListsAndObjectsAreSetsAndVectors) {
  set("words", {.type = AttributeType::kSet, .weighted = true, .min_count = 1});
  set("tags", {.type = AttributeType::kSet, .min_count = 1});
  const EntityAttributes read = customers(
      "{\"customer_id\":\"ann\",\"words\":{\"tea\":3,\"pot\":1},\"tags\":[\"x\",7],\"taste\":[0.5,1]}\n"
      "{\"customer_id\":\"bob\",\"words\":{},\"tags\":[],\"taste\":[1,0.5]}\n",
      "customers.jsonl");
  ASSERT_THAT(types(read), ElementsAre("words: set", "tags: set", "taste: vector"));
  EXPECT_THAT(columns(read, 0), ElementsAre("words = pot", "words = tea", "tags = 7", "tags = x"));
  EXPECT_THAT(columns(read, 1), ElementsAre());  // known to be empty, which is not missing
  EXPECT_FLOAT_EQ(read.table.dense[0] * 2, read.table.dense[1]);
}

TEST_F(AttributeFiles, OfItemsLeaveReservedColumnsToTheCatalog) {
  options_.item_files = {write("items.csv", "item_id,title,kind,price,category,colour\na,Tea,PRODUCT,1,drink,red\nb,Pot,,2,dish,blue\n")};
  const std::string events = "customer_id,item_id\nann,a\nbob,b\n";
  EXPECT_THAT(types(must_read(events).item_attributes), ElementsAre("category: text", "colour: text"));
  options_.attribute_settings.item["title"] = {.type = AttributeType::kText, .bits = 4};
  options_.attribute_settings.item["colour"] = {.ignore = true};
  const Dataset dataset = must_read(events);
  EXPECT_THAT(types(dataset.item_attributes), ElementsAre("title: text", "category: text"));
  EXPECT_EQ(dataset.catalog.titles.at(0), "Tea");
}

// Codes of categories are no numbers: the one that is none must not take its item's row along.
TEST_F(AttributeFiles, TheCategoryIsACategoryWhateverItLooksLikeAndHasItsNameWhateverFilesCallIt) {
  options_.columns = parse_columns("category=department").value();
  options_.attribute_settings.item["department"] = {.min_count = 1};
  std::string items = "item_id,department,weight\na,17,1.5\nb,A7,2\n", events = "customer_id,item_id\nann,a\nbob,b\n";
  for (int i = 0; i < 150; ++i) {  // it looks like a number
    items += "i" + std::to_string(i) + "," + std::to_string(i % 5) + ",3\n";
    events += "ann,i" + std::to_string(i) + "\n";
  }
  options_.item_files = {write("items.csv", items)};
  const Dataset dataset = must_read(events);
  EXPECT_THAT(types(dataset.item_attributes), ElementsAre("category: category", "weight: number"));
  EXPECT_THAT(columns(dataset.item_attributes, dataset.items.find("a")), ElementsAre("category = 17"));
  EXPECT_THAT(columns(dataset.item_attributes, dataset.items.find("b")), ElementsAre("category = A7"));
  EXPECT_EQ(dataset.catalog.categories.at(0), "17");

  options_.columns = parse_columns("category=department|aisle").value();
  options_.attribute_settings.item = {};
  options_.item_files = {write("items.csv", "item_id,aisle,department\na,one word,x\nb,two words,y\n")};
  EXPECT_THAT(types(must_read("customer_id,item_id\nann,a\nbob,b\n").item_attributes), ElementsAre("aisle: text", "category: text"));
  // The catalog takes what --columns says before the column that has the name.
  options_.columns = parse_columns("category=department").value();
  options_.item_files = {write("items.csv", "item_id,category,department\na,one word,x\nb,two words,y\n")};
  const Dataset both = must_read("customer_id,item_id\nann,a\nbob,b\n");
  EXPECT_THAT(types(both.item_attributes), ElementsAre("category: text"));
  EXPECT_EQ(both.catalog.categories.at(0), "x");
  EXPECT_THAT(findings(both.item_attributes), ::testing::Contains(HasSubstr("category is not the column that --columns takes for it")));
}

TEST_F(AttributeFiles, AreNotReadUnlessAskedFor) {
  options_.attributes = false;
  EXPECT_TRUE(read_customers("customer_id,age\nann,1\nbob,2\n")->customer_attributes.schema.empty());
}

TEST_F(AttributeFiles, TheSchemaIsFittedOnTheRowsThatAreTrainedOn) {
  const EntityAttributes all = customers("customer_id,age\nann,20\nbob,40\ncy,1000\ndee,\n");
  IdMap ids;
  for (const char* id : {"ann", "bob", "cy", "dee"}) ids.add(id);
  const std::vector<uint8_t> trained_on{1, 1, 0, 0};
  ReadReport report;
  const auto fit = read_attributes(all.source, ids, trained_on, report);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_THAT(fit->table.dense.view(), ElementsAre(-1, 1, 1, 0));  // 1000 is an outlier of 20 and 40
  EXPECT_NE(all.table.dense[0], -1);
}

TEST_F(AttributeFiles, ATotalMadeFromTheEventsIsReportedAsALeak) {
  std::string events = "customer_id,item_id\n", text = "customer_id,spent,age\n";
  for (int c = 0; c < 200; ++c) {
    const std::string id = "c" + std::to_string(c);
    for (int i = 0; i <= c % 20; ++i) events += id + ",i" + std::to_string(i) + "\n";
    text += id + "," + std::to_string((c % 20 + 1) * 12.5) + "," + std::to_string(20 + c * 7919 % 50) + "\n";
  }
  options_.customer_files = {write("customers.csv", text)};
  EXPECT_THAT(findings(must_read(events).customer_attributes),
              ElementsAre(HasSubstr("spent alone explains 100 % of the number of events")));
}

}  // namespace
}  // namespace bouquet::training
