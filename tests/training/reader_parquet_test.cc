#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> column(std::shared_ptr<arrow::DataType> type, const std::vector<std::optional<Value>>& values) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  EXPECT_TRUE(arrow::MakeBuilder(arrow::default_memory_pool(), type, &builder).ok());
  auto& typed = static_cast<Builder&>(*builder);
  for (const auto& value : values) EXPECT_TRUE((value ? typed.Append(*value) : typed.AppendNull()).ok());
  return builder->Finish().ValueOrDie();
}

using Texts = std::vector<std::optional<std::string>>;
std::shared_ptr<arrow::Array> texts(const Texts& values) { return column<arrow::StringBuilder, std::string>(arrow::utf8(), values); }
std::shared_ptr<arrow::Array> integers(const std::vector<std::optional<int64_t>>& values) {
  return column<arrow::Int64Builder, int64_t>(arrow::int64(), values);
}
std::shared_ptr<arrow::Array> doubles(const std::vector<std::optional<double>>& values) {
  return column<arrow::DoubleBuilder, double>(arrow::float64(), values);
}
std::shared_ptr<arrow::Array> stamps(arrow::TimeUnit::type unit, const std::string& zone,
                                     const std::vector<std::optional<int64_t>>& values) {
  return column<arrow::TimestampBuilder, int64_t>(arrow::timestamp(unit, zone), values);
}

class ParquetReading : public ReaderTest {
 protected:
  using Columns = std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>;
  std::string write_parquet(const std::string& name, const Columns& columns, int64_t rows_per_group = 1000) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const auto& [field, array] : columns) {
      fields.push_back(arrow::field(field, array->type()));
      arrays.push_back(array);
    }
    const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
    auto out = arrow::io::FileOutputStream::Open(path(name)).ValueOrDie();
    const auto keep_types = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, rows_per_group, parquet::default_writer_properties(),
                                           keep_types)
                    .ok());
    EXPECT_TRUE(out->Close().ok());
    return path(name);
  }
  absl::StatusOr<Dataset> read_columns(const Columns& columns, int64_t rows_per_group = 1000) {
    options_.event_files = {write_parquet("events.parquet", columns, rows_per_group)};
    return read_dataset(options_);
  }
  Dataset must_read_columns(const Columns& columns) {
    auto dataset = read_columns(columns);
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }
};

TEST_F(ParquetReading, ReadsIdsOfEveryWholeType) {
  EXPECT_THAT(pairs(must_read_columns({{"customer_id", integers({-5, 31198570044})}, {"item_id", doubles({1.0, 9007199254740992.0})}})),
              ElementsAre("-5:1", "31198570044:9007199254740992"));
  const auto large = column<arrow::LargeStringBuilder, std::string>(arrow::large_utf8(), {"ann", "bob"});
  const auto dictionary = texts({"a", "b"});
  const auto indices = column<arrow::Int32Builder, int32_t>(arrow::int32(), {1, 0});
  const auto encoded = arrow::DictionaryArray::FromArrays(indices, dictionary).ValueOrDie();
  EXPECT_THAT(pairs(must_read_columns({{"customer_id", large}, {"item_id", encoded}})), ElementsAre("ann:b", "bob:a"));
  const auto small = column<arrow::UInt8Builder, uint8_t>(arrow::uint8(), {255, 7});
  const auto huge = column<arrow::UInt64Builder, uint64_t>(arrow::uint64(), {UINT64_MAX, 1});
  EXPECT_THAT(pairs(must_read_columns({{"customer_id", small}, {"item_id", huge}})), ElementsAre("255:18446744073709551615", "7:1"));
}

TEST_F(ParquetReading, RefusesIdsThatAreNotWhole) {
  EXPECT_THAT(error_of(read_columns({{"customer_id", texts({"a", "a"})}, {"item_id", doubles({1.0, 3.14})}}).status()),
              HasSubstr("events.parquet: row group 0, row 1: column item_id: '3.14' is not a whole number"));
  const auto flags = column<arrow::BooleanBuilder, bool>(arrow::boolean(), {true});
  EXPECT_THAT(error_of(read_columns({{"customer_id", texts({"a"})}, {"item_id", flags}}).status()),
              HasSubstr("is true or false, not an id"));
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  ASSERT_TRUE(lists.Append().ok());
  EXPECT_THAT(error_of(read_columns({{"customer_id", texts({"a"})}, {"item_id", lists.Finish().ValueOrDie()}}).status()),
              HasSubstr("is nested, not an id"));
}

TEST_F(ParquetReading, ListsAreVectorsAndSetsOfAttributes) {
  const auto floats = std::make_shared<arrow::FloatBuilder>();
  arrow::ListBuilder vectors(arrow::default_memory_pool(), floats);
  const auto strings = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder sets(arrow::default_memory_pool(), strings);
  for (int row = 0; row < 3; ++row) {
    ASSERT_TRUE(vectors.Append().ok());
    ASSERT_TRUE(floats->AppendValues({static_cast<float>(row), 0.5f}).ok());
    ASSERT_TRUE(sets.Append().ok());
    if (row > 0) {
      ASSERT_TRUE(strings->AppendValues({"red", row > 1 ? "blue" : "green"}).ok());
    }
  }
  ASSERT_TRUE(vectors.AppendNull().ok());
  ASSERT_TRUE(sets.AppendNull().ok());
  options_.customer_files = {write_parquet("customers.parquet", {{"customer_id", texts({"ann", "bob", "cy", "dee"})},
                                                                 {"taste", vectors.Finish().ValueOrDie()},
                                                                 {"colours", sets.Finish().ValueOrDie()}})};
  options_.attribute_settings.customer["colours"] = {.type = AttributeType::kSet, .min_count = 1};
  options_.attributes = true;
  const Dataset dataset =
      must_read_columns({{"customer_id", texts({"ann", "bob", "cy", "dee"})}, {"item_id", texts({"a", "b", "a", "b"})}});
  const EntityAttributes& read = dataset.customer_attributes;
  ASSERT_EQ(read.schema.attributes().size(), 2u);
  EXPECT_EQ(read.schema.attributes()[0].type(), AttributeType::kVector);
  EXPECT_EQ(read.schema.attributes()[1].type(), AttributeType::kSet);
  const AttributeRows rows = read.table.rows();
  const float scale = std::get<VectorTransform>(read.schema.attributes()[0].transform).scale;
  EXPECT_THAT(rows.dense_row(2), ElementsAre(2 * scale, 0.5f * scale));
  std::vector<std::string> names;
  for (int64_t r = 0; r < 4; ++r)
    for (const int32_t column : rows.row_columns(r)) names.push_back(std::to_string(r) + " " + read.schema.column_name(column));
  EXPECT_THAT(names, ElementsAre("1 colours = red", "1 colours = green", "2 colours = red", "2 colours = blue", "3 taste missing",
                                 "3 colours missing"));
}

TEST_F(ParquetReading, NullAndNanCustomersAreAnonymous) {
  EXPECT_THAT(pairs(must_read_columns({{"customer_id", doubles({17850.0, std::nullopt, NAN})}, {"item_id", texts({"a", "b", "c"})}})),
              ElementsAre(":b", ":c", "17850:a"));
}

TEST_F(ParquetReading, ReadsTimesOfEveryUnitAndAsText) {
  const auto time_of = [&](std::shared_ptr<arrow::Array> times) {
    return must_read_columns({{"customer_id", texts({"ann", "bob"})}, {"item_id", texts({"a", "b"})}, {"time", times}}).events.times;
  };
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::SECOND, "", {5, -5})), ElementsAre(5000000, -5000000));
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::MILLI, "", {5, -5})), ElementsAre(5000, -5000));
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::MICRO, "UTC", {5, -5})), ElementsAre(5, -5));
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::NANO, "", {5999, -5001})), ElementsAre(5, -6));
  EXPECT_THAT(time_of(texts({"1970-01-01 00:00:01", "2.5"})), ElementsAre(1000000, 2500000));
  EXPECT_THAT(time_of(integers({1, 2})), ElementsAre(1000000, 2000000));
  EXPECT_THAT(time_of(doubles({1.5, 2})), ElementsAre(1500000, 2000000));
  EXPECT_THAT(time_of(column<arrow::Date32Builder, int32_t>(arrow::date32(), {1, 2})), ElementsAre(86400000000, 172800000000));
  options_.time_zone = "Asia/Tokyo";  // nine hours ahead
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::SECOND, "", {32400, 32401})), ElementsAre(0, 1000000));
  EXPECT_THAT(time_of(stamps(arrow::TimeUnit::SECOND, "Asia/Tokyo", {32400, 32401})), ElementsAre(32400000000, 32401000000));
}

TEST_F(ParquetReading, BadTimesAreNamed) {
  const auto time_error = [&](std::shared_ptr<arrow::Array> times) {
    return error_of(read_columns({{"customer_id", texts({"ann"})}, {"item_id", texts({"a"})}, {"time", times}}).status());
  };
  EXPECT_THAT(time_error(stamps(arrow::TimeUnit::NANO, "", {std::nullopt})), HasSubstr("row group 0, row 0: column time: is empty"));
  EXPECT_THAT(time_error(integers({1577880000000})), HasSubstr("are these milliseconds?"));
  EXPECT_THAT(time_error(column<arrow::BooleanBuilder, bool>(arrow::boolean(), {true})), HasSubstr("'true' is not a time"));
}

TEST_F(ParquetReading, PlacesAreRowGroupsAndRows) {
  Texts items(50, "x");
  items[0] = "first";
  items[43] = std::nullopt;
  const auto status = read_columns({{"customer_id", texts(Texts(50, "ann"))}, {"item_id", texts(items)}}, 20).status();
  EXPECT_THAT(error_of(status), HasSubstr("events.parquet: row group 2, row 3: column item_id: is empty"));
}

TEST_F(ParquetReading, ReadsManyRowGroupsInOrder) {
  Texts items;
  std::vector<std::optional<int64_t>> values;
  for (int i = 0; i < 1000; ++i) {
    items.push_back("i" + std::to_string(i));
    values.push_back(i + 1);
  }
  const auto dataset =
      read_columns({{"item_id", texts(items)}, {"customer_id", texts(Texts(1000, "ann"))}, {"value", integers(values)}}, 7);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(dataset->items.id(dataset->events.items[static_cast<size_t>(i)]), "i" + std::to_string(i));
    ASSERT_EQ(dataset->events.values[static_cast<size_t>(i)], static_cast<float>(i + 1));
  }
}

TEST_F(ParquetReading, WhereComparesTypedColumnsAsText) {
  const Columns columns = {
      {"customer_id", texts({"ann", "ann", "ann"})}, {"item_id", texts({"a", "b", "c"})}, {"week", doubles({1, 2, 2})}};
  options_.where = {"week = 2"};
  EXPECT_THAT(pairs(must_read_columns(columns)), ElementsAre("ann:b", "ann:c"));
}

TEST_F(ParquetReading, MissingAndRepeatedColumnsAreNamed) {
  EXPECT_THAT(error_of(read_columns({{"customer", texts({"a"})}, {"item_id", texts({"x"})}}).status()),
              HasSubstr("the nearest name is 'customer'"));
  EXPECT_THAT(error_of(read_columns({{"customer_id", texts({"a"})}, {"item_id", texts({"x"})}, {"item_id", texts({"x"})}}).status()),
              HasSubstr("events.parquet: has two columns named 'item_id'"));
}

TEST_F(ParquetReading, NotAParquetFile) {
  EXPECT_THAT(error("customer_id,item_id\nann,a\n", "events.parquet"), HasSubstr("events.parquet: "));
  EXPECT_THAT(error("PAR1", "events.parquet"), HasSubstr("events.parquet: "));
  EXPECT_EQ(error("", "events.parquet"), "events.parquet: is empty (0 bytes)");
  EXPECT_THAT(error_of(read_columns({{"customer_id", texts({})}, {"item_id", texts({})}}).status()),
              HasSubstr("there is a header but no row"));
}

TEST_F(ParquetReading, EveryTruncationIsRefused) {
  const std::string file = write_parquet("whole.parquet", {{"customer_id", texts({"a", "a"})}, {"item_id", texts({"x", "y"})}});
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  for (size_t size = 1; size < bytes.size(); size += 3) EXPECT_FALSE(read(bytes.substr(0, size), "events.parquet").ok()) << size;
  EXPECT_EQ(must_read(bytes, "events.parquet").events.size(), 2);
}

}  // namespace
}  // namespace bouquet::training
