// Values in, one row of numbers out, by a schema: the same code in training, fold-in and serving.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_elements.h"
#include "engine/attribute_schema.h"
#include "engine/words.h"

namespace bouquet {

// InvalidArgument where `value` cannot be one of this type, naming the attribute: another kind of value, a number or vector that is not
// finite, text that is too long. Missing can be any. A number's kind is kNumber, a flag's kFlag, a text's kText, a vector's kVector; a set
// is kText or kTexts; a category kText, kNumber or kFlag. The elements of a weighted set and the length of a vector are not looked at.
absl::Status check_value(std::string_view name, AttributeType type, const AttributeValue& value);

// Numbers by column (AttributeSchema's), ascending without repeats, for callers with thousands of attributes. An attribute is there if one
// of its columns is:
//   number    the number itself
//   vector    its numbers, all of them
//   category  1 at the column of its value, or at the rare one
//   set       1 (of a weighted set: the weight) at each value it has; 0 at one that it lacks, so that an empty set can be told from a
//   missing one flag      1 or 0 missing   1 at the attribute's last sparse column, and nothing else of it
// Texts cannot be sent so.
struct PackedValues {
  std::span<const uint32_t> columns;
  std::span<const double> numbers;  // of the same length
};

// Not thread-safe: one per thread. Allocates nothing once it has seen rows as large.
class AttributeEncoder {
 public:
  // `schema` must outlive this.
  explicit AttributeEncoder(const AttributeSchema& schema);

  // InvalidArgument where encode() would refuse a row for this value of attribute `attribute`.
  absl::Status check(size_t attribute, const AttributeValue& value);

  // Encodes `row`, a value by attribute. Writes every number of `dense` [dense_count()], and appends the row's sparse columns, ascending,
  // and their values, none of them 0. Errors: InvalidArgument naming the attribute and what is wrong; then nothing has been appended.
  absl::Status encode(std::span<const AttributeValue> row, std::span<float> dense, std::vector<int32_t>& columns,
                      std::vector<float>& values);

  // The same of which only the values with a 1 in `there` [attributes] are read; the others are missing.
  absl::Status encode(std::span<const AttributeValue> row, std::span<const uint8_t> there, std::span<float> dense,
                      std::vector<int32_t>& columns, std::vector<float>& values);

  // The same from packed values; attributes that are not there are missing. Writes 1 to `there` [attributes] for those that are, 0 for the
  // others. Encodes to the same bits as the values by name. Errors: InvalidArgument, naming the position in `columns`, the attribute and
  // what is wrong; then nothing has been appended.
  absl::Status encode_packed(const PackedValues& packed, std::span<uint8_t> there, std::span<float> dense, std::vector<int32_t>& columns,
                             std::vector<float>& values);

 private:
  struct Entry {
    int32_t column = 0;
    float value = 0;
  };
  absl::Status encode_row(std::span<const AttributeValue> row, std::span<const uint8_t> there, std::span<float> dense);
  absl::Status encode_present(size_t attribute, const AttributeValue& value, std::span<float> dense);
  absl::Status encode_set(size_t attribute, const SetTransform& set, const AttributeValue& value);
  void finish_set(size_t attribute, const SetTransform& set, size_t begin);
  void append_entries(std::vector<int32_t>& columns, std::vector<float>& values) const;
  absl::StatusOr<size_t> encode_packed_dense(const PackedValues& packed, std::span<uint8_t> there, std::span<float> dense);
  absl::Status encode_packed_sparse(const PackedValues& packed, size_t attribute, size_t begin, size_t end, bool has_dense);
  // Whether that is a value of attribute `attribute`, which is a flag: they come by the thousand.
  bool is_flag(size_t attribute, uint32_t column, double number) const;
  absl::Status wrong_packed(const PackedValues& packed, size_t position, size_t attribute, const std::string& what) const;
  void encode_text(size_t attribute, const TextTransform& text, const AttributeValue& value);
  void scale_to_length_1(size_t begin);

  const AttributeSchema& schema_;
  std::vector<Entry> entries_;  // of the row
  SetElements elements_;
  HashedWords words_;
  std::array<char, 32> digits_{};
  std::vector<float> unused_;             // what check() encodes
  const std::vector<uint8_t> all_there_;  // a 1 by attribute
  std::vector<uint8_t> is_flag_;          // by attribute: compact, because it is looked at for each of thousands
};

}  // namespace bouquet
