// Attributes that stand in a store are learned from as if a file had them, alone and together with files.
#include "training/stored_attributes.h"

#include <array>

#include "tests/training/fake_source.h"
#include "tests/training/reader_fixture.h"
#include "training/read_report.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr AttributeValue kMissing;
AttributeValue number(double x) { return AttributeValue::of_number(x); }
AttributeValue text(std::string_view x) { return AttributeValue::of_text(x); }

class StoredAttributesTest : public ReaderTest {
 protected:
  StoredAttributesTest() {
    options_.attributes = true;
    options_.attribute_settings.customer = {};
    options_.store = store_;
  }
  absl::StatusOr<Dataset> read_store() { return read_dataset(options_); }
  EntityAttributes customers() {
    auto dataset = read_store();
    if (!dataset.ok()) {
      ADD_FAILURE() << dataset.status();
      return {};
    }
    last_ = *std::move(dataset);
    return last_.customer_attributes;
  }
  void set(const std::string& name, AttributeSetting setting) { options_.attribute_settings.customer[name] = setting; }
  // Of a customer, by attribute: "age 0.5" of what is dense, "city = Bonn" of what is not.
  std::vector<std::string> row(const EntityAttributes& read, const std::string& customer) const {
    const int32_t at = last_.customers.find(customer);
    if (at == kNone) return {"nobody"};
    std::vector<std::string> out;
    for (const int32_t column : read.table.rows().row_columns(at)) out.push_back(read.schema.column_name(column));
    return out;
  }

  // ann, bob, cy and dee have bought something.
  const std::shared_ptr<FakeSource> store_ = std::make_shared<FakeSource>(std::vector<Given>{{.customer = "ann", .item = "a"},
                                                                                             {.customer = "bob", .item = "b"},
                                                                                             {.customer = "cy", .item = "a"},
                                                                                             {.customer = "dee", .item = "b"}});
  Dataset last_;
};

std::vector<std::string> types(const EntityAttributes& read) {
  std::vector<std::string> all;
  for (const Attribute& a : read.schema.attributes()) all.push_back(a.name + ": " + std::string(attribute_type_name(a.type())));
  return all;
}

std::vector<std::string> findings(const EntityAttributes& read) {
  std::vector<std::string> all;
  for (const AttributeFinding& finding : read.findings) all.push_back(finding.attribute + " " + finding.message);
  return all;
}

void expect_equal(const EntityAttributes& got, const EntityAttributes& wanted) {
  EXPECT_EQ(types(got), types(wanted));
  EXPECT_EQ(findings(got), findings(wanted));
  EXPECT_EQ(got.rows, wanted.rows);
  EXPECT_EQ(got.unknown_rows, wanted.unknown_rows);
  EXPECT_EQ(got.without_row, wanted.without_row);
  const auto same = [](const auto& a, const auto& b) { return std::ranges::equal(a.view(), b.view()); };
  EXPECT_TRUE(same(got.table.dense, wanted.table.dense));
  EXPECT_TRUE(same(got.table.offsets, wanted.table.offsets));
  EXPECT_TRUE(same(got.table.columns, wanted.table.columns));
  EXPECT_TRUE(same(got.table.values, wanted.table.values));
}

TEST_F(StoredAttributesTest, AreReadAsIfAFileHadThem) {
  constexpr std::array<std::string_view, 2> kTags = {"a", "b"};
  constexpr std::array<float, 3> kVector = {1, .5f, -2};
  store_->attributes = {{"ann",
                         {{"age", number(30)},
                          {"member", AttributeValue::of_flag(true)},
                          {"note", text("of ann")},
                          {"tags", AttributeValue::of_texts(kTags)}}},
                        {"bob",
                         {{"age", number(20.5)},
                          {"member", AttributeValue::of_flag(false)},
                          {"empty", kMissing},
                          {"vector", AttributeValue::of_vector(kVector)}}},
                        {"dee", {{"age", kMissing}, {"note", text("a note")}, {"tags", AttributeValue::of_texts({})}}},
                        {"zoe", {{"age", number(70)}}}};
  const EntityAttributes got = customers();
  EXPECT_THAT(types(got), ElementsAre("age: number", "member: flag", "note: text", "tags: set", "vector: vector"));
  EXPECT_THAT(findings(got), ElementsAre("empty is missing in every row; it is left out"));
  EXPECT_EQ(got.without_row, 1);
  EXPECT_EQ(got.unknown_rows, 1);
  EXPECT_THAT(last_.sources, ElementsAre("store", "store/attributes"));
  const std::string report = read_report_text(last_);

  store_->attributes.clear();
  options_.customer_files = {write(
      "customers.jsonl",
      "{\"age\":30,\"customer_id\":\"ann\",\"empty\":null,\"member\":true,\"note\":\"of ann\",\"tags\":[\"a\",\"b\"],\"vector\":null}\n"
      "{\"customer_id\":\"bob\",\"age\":20.5,\"member\":false,\"vector\":[1,0.5,-2]}\n"
      "{\"customer_id\":\"dee\",\"age\":null,\"note\":\"a note\",\"tags\":[]}\n"
      "{\"customer_id\":\"zoe\",\"age\":70}\n")};
  const EntityAttributes wanted = customers();
  expect_equal(got, wanted);
  const auto without_seconds = [](const std::string& all) { return all.substr(all.find(": ")); };
  EXPECT_EQ(without_seconds(report), without_seconds(read_report_text(last_)));
  EXPECT_THAT(last_.sources, ElementsAre("store", "customers.jsonl"));
}

TEST_F(StoredAttributesTest, GoBeforeWhatAFileSaysAndTheFileBeforeNothing) {
  set("city", {.type = AttributeType::kCategory, .min_count = 1});
  options_.customer_files = {write("customers.csv", "customer_id,city,pet\nann,Bonn,true\nbob,Ulm,false\ncy,Jena,\ndee,Bonn,true\n")};
  store_->attributes = {{"bob", {{"city", text("Bonn")}, {"member", AttributeValue::of_flag(true)}}},
                        {"cy", {{"member", AttributeValue::of_flag(false)}}},
                        {"dee", {{"city", kMissing}}}};
  const EntityAttributes read = customers();
  EXPECT_THAT(types(read), ElementsAre("city: category", "pet: flag", "member: flag")) << "names that no file has come behind";
  EXPECT_THAT(row(read, "ann"), ElementsAre("city = Bonn", "pet = true", "member missing"));
  EXPECT_THAT(row(read, "bob"), ElementsAre("city = Bonn", "member = true"));
  EXPECT_THAT(row(read, "cy"), ElementsAre("city = Jena", "pet missing"));
  EXPECT_THAT(row(read, "dee"), ElementsAre("city missing", "pet = true", "member missing")) << "to be missing is a word";
  EXPECT_EQ(read.without_row, 0);
}

TEST_F(StoredAttributesTest, OfMergedCustomersAreThoseOfOneAndSoAreTheirRowsOfFiles) {
  for (const char* name : {"city", "pet", "size", "team"}) set(name, {.type = AttributeType::kCategory, .min_count = 1});
  store_->roots = {{"cy", "ann"}, {"visitor", "ann"}, {"tablet", "nobody"}};
  options_.customer_files = {write("customers.csv",
                                   "customer_id,city,pet,size,team\nvisitor,Ulm,cat,,blue\ncy,Jena,dog,,\nann,,,,red\n"
                                   "bob,Berlin,fish,XL,\ntablet,Bonn,,,\n")};
  EXPECT_THAT(row(customers(), "ann"), ElementsAre("city = Jena", "pet = dog", "size missing", "team = red"));
  EXPECT_EQ(last_.customers.find("cy"), kNone);
  // In the store any of them goes before what files say of all, and the root before the others there too.
  store_->attributes = {
      {"ann", {{"size", text("S")}}}, {"cy", {{"pet", kMissing}}}, {"visitor", {{"city", text("Bonn")}, {"size", text("XL")}}}};
  const EntityAttributes read = customers();
  EXPECT_THAT(row(read, "ann"), ElementsAre("city = Bonn", "pet missing", "size = S", "team = red"));
  EXPECT_THAT(row(read, "bob"), ElementsAre("city = Berlin", "pet = fish", "size = XL", "team missing"));
  EXPECT_EQ(read.rows, 6) << "of the file, and one person";
  EXPECT_EQ(read.unknown_rows, 1);
  EXPECT_EQ(read.without_row, 1) << "dee";
  store_->roots.clear();
  EXPECT_THAT(row(customers(), "ann"), ElementsAre("city missing", "pet missing", "size = S", "team = red"));
}

TEST_F(StoredAttributesTest, OfAnotherTypeThanTheColumnsArePassedOverAndCounted) {
  constexpr std::array<float, 2> kTwo = {1, 2};
  constexpr std::array<float, 3> kThree = {3, 4, 5};
  set("words", {.type = AttributeType::kSet, .weighted = true, .min_count = 1});
  options_.customer_files = {write("customers.csv", "customer_id,age,words\nann,30,tea:2\nbob,20,tea:1\n")};
  store_->roots = {{"zoe", "ann"}};
  store_->attributes = {{"ann", {{"age", text("31")}, {"vector", AttributeValue::of_vector(kTwo)}}},
                        {"bob", {{"age", text("old")}, {"vector", AttributeValue::of_vector(kThree)}, {"words", text("tea")}}},
                        {"zoe", {{"age", number(40)}, {"zip", text("10115")}}}};
  const EntityAttributes read = customers();
  EXPECT_THAT(types(read), ElementsAre("age: number", "words: set", "vector: vector", "zip: text")) << "text is never a number";
  EXPECT_THAT(findings(read),
              ElementsAre(HasSubstr("age has 2 values in the store that are passed over; the first: attribute age: text is no value"),
                          HasSubstr("words has 1 values in the store that are passed over"),
                          HasSubstr("vector has 1 values in the store that are passed over")));
  EXPECT_THAT(row(read, "bob"), ElementsAre("words = tea", "zip missing"))
      << "whose vector is the first: those of one id come before others";
  EXPECT_THAT(row(read, "ann"), ElementsAre("words = tea", "vector missing", HasSubstr("zip ~ ")));
  EXPECT_GT(read.table.rows().dense_row(0)[0], read.table.rows().dense_row(1)[0]) << "zoe's word counts, ann's cannot";
  EXPECT_EQ(last_.report.bad_rows, 0);
}

// The file may be from before the erasure, or from after it.
TEST_F(StoredAttributesTest, RowsOfFilesOfWhoWasErasedAreNobodys) {
  set("city", {.type = AttributeType::kCategory, .min_count = 1});
  store_->erased = {{"bob", {.sequence = 1, .time = -1}}};
  options_.customer_files = {write("customers.csv", "customer_id,city\nann,Bonn\nbob,Ulm\n")};
  const EntityAttributes read = customers();
  EXPECT_THAT(row(read, "bob"), ElementsAre("city missing")) << "who is back";
  EXPECT_EQ(read.erased_rows, 1);
  EXPECT_THAT(read_report_text(last_), HasSubstr("1 rows of files are of ids that were erased: left out"));
  store_->attributes = {{"bob", {{"city", text("Jena")}}}};
  EXPECT_THAT(row(customers(), "bob"), ElementsAre("city = Jena"));
}

TEST_F(StoredAttributesTest, ABadRowOfAFileLeavesWhatTheStoreSays) {
  set("age", {.type = AttributeType::kNumber});
  options_.max_bad_rows = 2;
  store_->roots = {{"visitor", "bob"}};
  store_->attributes = {{"ann", {{"member", AttributeValue::of_flag(true)}}}};
  options_.customer_files = {write("customers.csv", "customer_id,age\nann,old\nbob,young\nvisitor,30\ncy,20\n")};
  const EntityAttributes read = customers();
  EXPECT_THAT(row(read, "ann"), ElementsAre("age missing", "member = true"));
  EXPECT_THAT(row(read, "bob"), ElementsAre("member missing")) << "one row of the person is sound";
  EXPECT_EQ(last_.report.bad_rows, 2);
  EXPECT_EQ(read.without_row, 1);
}

TEST_F(StoredAttributesTest, SettingsAreOfThemTooAndMayLeaveThemOut) {
  store_->attributes = {{"ann", {{"age", number(30)}, {"note", text("x")}}}, {"bob", {{"age", number(20)}}}};
  set("note", {.ignore = true});
  EXPECT_THAT(types(customers()), ElementsAre("age: number"));
  set("aeg", {.type = AttributeType::kNumber});
  EXPECT_THAT(
      error_of(read_store().status()),
      HasSubstr(
          "[attributes.customer.aeg]: no file of attributes has this column, and the store has no such attribute; did you mean 'age'?"));
  store_->attributes.clear();
  EXPECT_THAT(error_of(read_store().status()), HasSubstr("[attributes.customer.aeg]: no file has such attributes"));
  options_.attribute_settings.customer.clear();
  EXPECT_THAT(customers().schema.attributes(), IsEmpty());
  EXPECT_THAT(last_.sources, ElementsAre("store"));
  EXPECT_THAT(read_report_text(last_), Not(HasSubstr("customers: ")));
}

}  // namespace
}  // namespace bouquet::training
