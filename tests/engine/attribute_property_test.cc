// A schema that was stored and read again encodes every row to the same bits as the one that training used, whatever the encoder has
// encoded before and in whatever order a set is written.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/attribute_encoder.h"
#include "engine/attribute_rows.h"
#include "engine/attribute_schema_json.h"

namespace bouquet {
namespace {

const std::vector<std::string> kWords = {"tea", "pot", "Ärmel", "a", "b", "rare1", "rare2", "x:1"};

struct RawRow {
  double age = 0;
  bool member = false;
  std::string country, title;
  std::vector<std::string> tags, words;
  std::vector<float> taste;
  std::vector<bool> missing;  // by attribute
};

rc::Gen<std::string> any_word() { return rc::gen::elementOf(kWords); }

RawRow any_row() {
  RawRow row;
  row.age = *rc::gen::inRange(-1000, 1000) / 7.0;
  row.member = *rc::gen::arbitrary<bool>();
  row.country = *any_word();
  for (const std::string& word : *rc::gen::container<std::vector<std::string>>(any_word())) row.title += word + " ";
  row.title += "!";
  row.tags = *rc::gen::container<std::vector<std::string>>(any_word());
  for (const std::string& word : *rc::gen::container<std::vector<std::string>>(any_word()))
    row.words.push_back(word + ":" + std::to_string(*rc::gen::inRange(1, 9)) + ".3");
  for (int i = 0; i < 3; ++i) row.taste.push_back(static_cast<float>(*rc::gen::inRange(-99, 99)) / 13.0f);
  row.missing = *rc::gen::container<std::vector<bool>>(7, rc::gen::arbitrary<bool>());
  return row;
}

AttributeSchema any_schema() {
  TextTransform title{5, std::vector<float>(32), std::vector<std::string>(32)};
  for (float& idf : title.idf) idf = static_cast<float>(*rc::gen::inRange(0, 90)) / 11.0f;
  const std::vector<std::string> values(kWords.begin(), kWords.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, 5));
  std::vector<float> idf;
  for (size_t v = 0; v <= values.size(); ++v) idf.push_back(static_cast<float>(*rc::gen::inRange(0, 90)) / 17.0f);
  const double deviation = *rc::gen::inRange(1, 100) / 3.0;
  auto schema = AttributeSchema::make({{"age", NumberTransform{*rc::gen::arbitrary<bool>(), -5.1, 77.7, 1.0 / 3, deviation}},
                                       {"member", FlagTransform{}},
                                       {"country", CategoryTransform{values}},
                                       {"title", title},
                                       {"tags", SetTransform{values, false, {}}},
                                       {"words", SetTransform{values, true, idf}},
                                       {"taste", VectorTransform{3, static_cast<float>(deviation)}}});
  RC_ASSERT(schema.ok());
  return *std::move(schema);
}

struct EncodedRow {
  std::vector<float> dense;
  std::vector<int32_t> columns;
  std::vector<float> values;
  bool operator==(const EncodedRow&) const = default;
};

EncodedRow encoded(AttributeEncoder& encoder, const AttributeSchema& schema, const RawRow& raw) {
  const std::vector<std::string_view> tags(raw.tags.begin(), raw.tags.end()), words(raw.words.begin(), raw.words.end());
  std::vector<AttributeValue> row = {AttributeValue::of_number(raw.age),   AttributeValue::of_flag(raw.member),
                                     AttributeValue::of_text(raw.country), AttributeValue::of_text(raw.title),
                                     AttributeValue::of_texts(tags),       AttributeValue::of_texts(words),
                                     AttributeValue::of_vector(raw.taste)};
  for (size_t a = 0; a < row.size(); ++a)
    if (raw.missing[a]) row[a] = {};
  EncodedRow out;
  out.dense.resize(static_cast<size_t>(schema.dense_count()));
  const absl::Status status = encoder.encode(row, out.dense, out.columns, out.values);
  RC_ASSERT(status.ok());
  const std::vector<int64_t> offsets{0, static_cast<int64_t>(out.columns.size())};
  RC_ASSERT(validate(AttributeRows{schema.column_count(), schema.dense_count(), out.dense, offsets, out.columns, out.values}, 1).ok());
  return out;
}

RC_GTEST_PROP(AttributeProperty, StoredSchemasEncodeTheSameBits, ()) {
  const AttributeSchema training = any_schema();
  const auto serving = parse_attribute_schema(attribute_schema_text(training));
  RC_ASSERT(serving.ok());
  AttributeEncoder used(training);
  const int rows = *rc::gen::inRange(1, 6);
  for (int r = 0; r < rows; ++r) {
    RawRow row = any_row();
    const EncodedRow in_training = encoded(used, training, row);
    std::reverse(row.tags.begin(), row.tags.end());
    std::reverse(row.words.begin(), row.words.end());
    AttributeEncoder fresh(*serving);
    RC_ASSERT(encoded(fresh, *serving, row) == in_training);
  }
}

}  // namespace
}  // namespace bouquet
