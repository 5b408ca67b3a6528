// CSV as files in the wild write it, and what is said about the ones that cannot be read.
#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvReading : public ReaderTest {};

TEST_F(CsvReading, TakesColumnsByNameInAnyOrderAndIgnoresOthers) {
  const Dataset dataset = must_read("note,item_id,customer_id\nx,apple,ann\ny,pear,bob\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("ann:apple", "bob:pear"));
  EXPECT_EQ(dataset.report.rows, 2);
  EXPECT_FALSE(dataset.events.has_times());
  EXPECT_FALSE(dataset.events.has_baskets());
  EXPECT_THAT(dataset.sources, ElementsAre("events.csv"));
}

TEST_F(CsvReading, UnderstandsSemicolonsAndTabs) {
  EXPECT_THAT(pairs(must_read("customer_id;item_id\na,b;x\nc;y\n")), ElementsAre("a,b:x", "c:y"));
  EXPECT_THAT(pairs(must_read("customer_id\titem_id\na;b\tx\nc\ty\n", "events.tsv")), ElementsAre("a;b:x", "c:y"));
}

TEST_F(CsvReading, UnderstandsByteOrderMarkAndCarriageReturns) {
  EXPECT_THAT(pairs(must_read("\xef\xbb\xbf"
                              "customer_id,item_id\r\nann,apple\r\n\r\nbob,\"pear\"\r\n")),
              ElementsAre("ann:apple", "bob:pear"));
}

TEST_F(CsvReading, ReadsTheLastRowWithoutANewline) {
  EXPECT_THAT(pairs(must_read("customer_id,item_id\nann,apple\nbob,pear")), ElementsAre("ann:apple", "bob:pear"));
}

TEST_F(CsvReading, QuotedFieldsHoldDelimitersNewlinesAndQuotes) {
  const Dataset dataset = must_read("customer_id,item_id\n\"ann, b\",\"two\nlines\"\n\"the \"\"best\"\"\",\"\"\"\"\n");
  EXPECT_THAT(pairs(dataset), ElementsAre("ann, b:two\nlines", "the \"best\":\""));
}

TEST_F(CsvReading, AQuoteInsideAPlainFieldIsText) {
  EXPECT_THAT(pairs(must_read("customer_id,item_id\nann,5\" pipe\nbob,say \"hi\"\n")), ElementsAre("ann:5\" pipe", "bob:say \"hi\""));
}

TEST_F(CsvReading, QuotedHeaderNames) {
  EXPECT_THAT(pairs(must_read("\"customer_id\", \"x\" ,item_id\nann,1,apple\nann,1,pear\n")), ElementsAre("ann:apple", "ann:pear"));
}

TEST_F(CsvReading, LineNumbersCountNewlinesInsideQuotes) {
  EXPECT_THAT(error("customer_id,item_id,value\n\"a\nb\",x,1\nann,y,abc\n"),
              HasSubstr("events.csv:4: column value: 'abc' is not a number"));
}

TEST_F(CsvReading, LineNumbersAreRightAcrossBlocks) {
  options_.block_bytes = 16;
  std::string text = "customer_id,item_id,value\n";
  for (int i = 0; i < 500; ++i) text += "ann,i" + std::to_string(i) + ",1\n";
  EXPECT_THAT(error(text + "ann,y,abc\n"), HasSubstr("events.csv:502: column value"));
}

TEST_F(CsvReading, RaggedRowsAreBadRows) {
  EXPECT_THAT(error("customer_id,item_id\nann,apple\nbob\n"), HasSubstr("events.csv:3: has 1 fields, but the header has 2"));
  EXPECT_THAT(error("customer_id,item_id\nann,apple,1\n"), HasSubstr("events.csv:2: has 3 fields, but the header has 2"));
}

TEST_F(CsvReading, TextAfterAClosingQuoteIsABadRow) {
  EXPECT_THAT(error("customer_id,item_id\n\"ann\"x,apple\n"), HasSubstr("events.csv:2: has text after a closing quote"));
}

TEST_F(CsvReading, AQuoteThatNeverClosesIsNamedWithItsRow) {
  options_.max_bad_rows = 1000;  // it swallows the rest of the file, so no bound of bad rows forgives it
  EXPECT_THAT(error("customer_id,item_id\nann,apple\nbob,\"pear\ncid,plum\n"),
              HasSubstr("events.csv:3: a quote that opens in this row is never closed"));
  EXPECT_THAT(error("customer_id,\"item_id\n"), HasSubstr("events.csv:1: a quote that opens in the header is never closed"));
}

TEST_F(CsvReading, ReadsAHugeFieldThatIsNotWanted) {
  options_.block_bytes = 1000;
  const std::string huge(3000000, 'x');
  EXPECT_THAT(pairs(must_read("customer_id,note,item_id\nann," + huge + ",apple\nbob,\"" + huge + "\n\",pear\n")),
              ElementsAre("ann:apple", "bob:pear"));
}

TEST_F(CsvReading, RefusesAHugeId) {
  EXPECT_THAT(error("customer_id,item_id\nann," + std::string(129, 'x') + "\n"), HasSubstr("is longer than 128 bytes"));
  EXPECT_THAT(pairs(must_read("customer_id,item_id\nann," + std::string(128, 'x') + "\nann,y\n")), ::testing::SizeIs(2));
}

TEST_F(CsvReading, RefusesARowPastTheBound) {
  EXPECT_THAT(error("customer_id,item_id\nann,apple\nbob," + std::string(17 << 20, 'x') + "\n"),
              HasSubstr("events.csv:3: a row longer than 16 MiB"));
}

TEST_F(CsvReading, NulBytesAreRefusedInIds) {
  EXPECT_THAT(error(std::string_view("customer_id,item_id\nann,ap\0ple\n", 31)),
              HasSubstr("events.csv:2: column item_id: 'ap\\x00ple' contains a NUL byte"));
}

TEST_F(CsvReading, EmptyAndHeaderOnlyFilesHaveTheirOwnMessages) {
  EXPECT_EQ(error(""), "events.csv: is empty (0 bytes)");
  EXPECT_THAT(error("\n\n"), HasSubstr("events.csv: is empty; the first row must name the columns"));
  EXPECT_THAT(error("customer_id,item_id\n"), HasSubstr("events.csv: there is a header but no row"));
  EXPECT_THAT(error("customer_id,item_id"), HasSubstr("there is a header but no row"));
}

TEST_F(CsvReading, DuplicateHeaderNamesAreRefused) {
  EXPECT_THAT(error("customer_id,item_id,item_id\nann,a,b\n"), HasSubstr("events.csv:1: the header has two columns named 'item_id'"));
}

TEST_F(CsvReading, AMissingColumnNamesTheNearest) {
  const auto status = read("customer,item_id\nann,a\n").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(error_of(status), HasSubstr("there is no column 'customer_id' for the customer; the nearest name is 'customer'"));
}

TEST_F(CsvReading, OldMacLineEndsAreNamed) {
  EXPECT_THAT(error("customer_id,item_id\rann,apple\rbob,pear\r"), HasSubstr("carriage return alone"));
}

TEST_F(CsvReading, MissingFilesAndDirectories) {
  options_.event_files = {path("none.csv")};
  EXPECT_TRUE(absl::IsNotFound(read_dataset(options_).status()));
  EXPECT_EQ(error_of(read_dataset(options_).status()), "none.csv: there is no such file");
  std::filesystem::create_directory(folder_ / "many.csv");
  options_.event_files = {path("many.csv")};
  EXPECT_THAT(error_of(read_dataset(options_).status()), HasSubstr("many.csv: is a directory; name its files"));
}

TEST_F(CsvReading, WrongSuffixesAreNamed) {
  EXPECT_THAT(error("PAR1....", "events.csv"), HasSubstr("is a Parquet file by its first bytes"));
  EXPECT_THAT(error("\x1f\x8b\x08....", "events.csv"), HasSubstr("its name must end in .gz"));
  EXPECT_THAT(error("\x28\xb5\x2f\xfd....", "events.csv"), HasSubstr("its name must end in .zst"));
  EXPECT_THAT(error("PK\x03\x04....", "events.csv"), HasSubstr("spreadsheet"));
  EXPECT_THAT(error("\xff\xfe"
                    "c",
                    "events.csv"),
              HasSubstr("UTF-16"));
  EXPECT_THAT(error("{\"customer_id\":1}\n", "events.csv"), HasSubstr("starts like JSON"));
  EXPECT_THAT(error("customer_id,item_id\nann,apple\n", "events.xlsx"), HasSubstr("its suffix does not say what it is"));
  EXPECT_THAT(error("customer_id,item_id\nann,apple\n", "events.parquet.gz"), HasSubstr("compressed inside"));
}

TEST_F(CsvReading, AGlobAndSeveralFilesAreOneSet) {
  write("b-1.csv", "customer_id,item_id\nann,apple\n");
  write("b-2.csv", "item_id,customer_id\npear,ann\n");
  write("c.csv", "customer_id,item_id\nbob,plum\n");
  options_.event_files = {path("b-*.csv"), path("c.csv")};
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(pairs(*dataset), ElementsAre("ann:apple", "ann:pear", "bob:plum"));
  EXPECT_THAT(dataset->sources, ElementsAre("b-1.csv", "b-2.csv", "c.csv"));
  options_.event_files = {path("d-*.csv")};
  EXPECT_EQ(error_of(read_dataset(options_).status()), "d-*.csv: no file matches this pattern");
  options_.event_files = {path("b-*.csv"), path("b-1.csv")};
  EXPECT_THAT(error_of(read_dataset(options_).status()), HasSubstr("b-1.csv: is named twice"));
}

TEST_F(CsvReading, AlternativeNamesAreResolvedForEachFile) {
  write("a.csv", "Customer ID,StockCode\nann,apple\n");
  write("b.csv", "CustomerID,StockCode\nann,pear\n");
  options_.columns = parse_columns("customer=Customer ID|CustomerID,item=StockCode").value();
  options_.event_files = {path("a.csv"), path("b.csv")};
  const auto dataset = read_dataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(pairs(*dataset), ElementsAre("ann:apple", "ann:pear"));
}

TEST_F(CsvReading, TheFirstAlternativeThatExistsWins) {
  options_.columns = parse_columns("customer=who|person").value();
  EXPECT_THAT(pairs(must_read("person,who,item_id\na,b,x\na,b,y\n")), ElementsAre("b:x", "b:y"));
}

TEST_F(CsvReading, AMappedOptionalColumnMustBeThere) {
  options_.columns = parse_columns("value=quantity").value();
  EXPECT_THAT(error("customer_id,item_id,Quantty\nann,a,1\n"),
              HasSubstr("no column 'quantity' or 'value' for the value; the nearest name is 'Quantty'"));
}

TEST_F(CsvReading, FilesWithAndWithoutTimesDoNotMix) {
  write("a.csv", "customer_id,item_id,time\nann,apple,1\n");
  write("b.csv", "customer_id,item_id\nann,pear\n");
  options_.event_files = {path("a.csv"), path("b.csv")};
  EXPECT_THAT(error_of(read_dataset(options_).status()), HasSubstr("b.csv: there is no time column, but"));
}

TEST_F(CsvReading, StandardInputIsCsv) {
  const std::string file = write("in", "customer_id,item_id\nann,apple\nbob,pear\n");
  const int saved = dup(STDIN_FILENO);
  ASSERT_NE(freopen(file.c_str(), "r", stdin), nullptr);
  options_.event_files = {"-"};
  const auto dataset = read_dataset(options_);
  dup2(saved, STDIN_FILENO);
  close(saved);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(pairs(*dataset), ElementsAre("ann:apple", "bob:pear"));
  EXPECT_THAT(dataset->sources, ElementsAre("-"));
}

TEST(ParseColumns, NamesTheNearestAndRefusesNonsense) {
  const auto message = [](const char* text) { return std::string(message_of(parse_columns(text).status())); };
  EXPECT_THAT(message("custmer=x"), HasSubstr("there is no column 'custmer'; did you mean 'customer'?"));
  EXPECT_THAT(message("customer"), HasSubstr("'customer' is not of the form column=NAME"));
  EXPECT_THAT(message("item=a,item=b"), HasSubstr("'item' is given twice"));
  EXPECT_THAT(message("item="), HasSubstr("names an empty column"));
  const auto columns = parse_columns("customer_id=Customer ID|CustomerID, event_type = kind").value();
  EXPECT_THAT(columns.at("customer"), ElementsAre("Customer ID", "CustomerID"));
  EXPECT_THAT(columns.at("type"), ElementsAre("kind"));
  EXPECT_TRUE(parse_columns("").value().empty());
}

}  // namespace
}  // namespace bouquet::training
