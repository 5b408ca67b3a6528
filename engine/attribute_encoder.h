// Values in, one row of numbers out, by a schema: the same code in training, fold-in and serving.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_elements.h"
#include "engine/attribute_schema.h"
#include "engine/words.h"

namespace bouquet {

// InvalidArgument where `value` cannot be one of this type, naming the attribute: another kind of value, a number or vector that is not
// finite, text that is too long. Missing can be any. A number's kind is kNumber, a flag's kFlag, a text's kText, a vector's kVector; a set
// is kText or kTexts; a category kText, kNumber or kFlag. The elements of a weighted set and the length of a vector are not looked at.
absl::Status check_value(std::string_view name, AttributeType type, const AttributeValue& value);

// Not thread-safe: one per thread. Allocates nothing once it has seen rows as large.
class AttributeEncoder {
 public:
  // `schema` must outlive this.
  explicit AttributeEncoder(const AttributeSchema& schema) : schema_(schema) {}

  // Encodes `row`, a value by attribute. Writes every number of `dense` [dense_count()], and appends the row's sparse columns, ascending,
  // and their values, none of them 0. Errors: InvalidArgument naming the attribute and what is wrong; then nothing has been appended.
  absl::Status encode(std::span<const AttributeValue> row, std::span<float> dense, std::vector<int32_t>& columns,
                      std::vector<float>& values);

 private:
  struct Entry {
    int32_t column = 0;
    float value = 0;
  };
  absl::Status encode_row(std::span<const AttributeValue> row, std::span<float> dense);
  absl::Status encode_present(size_t attribute, const AttributeValue& value, std::span<float> dense);
  absl::Status encode_set(size_t attribute, const SetTransform& set, const AttributeValue& value);
  void encode_text(size_t attribute, const TextTransform& text, const AttributeValue& value);
  void scale_to_length_1(size_t begin);

  const AttributeSchema& schema_;
  std::vector<Entry> entries_;  // of the row
  SetElements elements_;
  HashedWords words_;
  std::array<char, 32> digits_{};
};

}  // namespace bouquet
