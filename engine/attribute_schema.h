// How attributes become columns: for each attribute a transform, frozen when a model is trained and part of it, so that serving applies
// exactly what training applied (engine/attribute_encoder.h). Training fits the transforms (training/attribute_fit.h).
//
//   type      dense columns           sparse columns, in this order
//   number    1: standardised         missing
//   category                          a 1 for the value it has | rare: any other value | missing
//   set                               each value it has | rare | missing; together of length 1
//   flag                              true | missing
//   text                              2^bits buckets of words and word pairs, together of length 1 | missing
//   vector    its length, scaled      missing
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/attribute_value.h"
#include "engine/name_index.h"

namespace bouquet {

// (min(max(y, low), high) - mean) / deviation, where y is the number x, or sign(x) ln(1 + |x|).
struct NumberTransform {
  bool log1p = false;
  double low = 0, high = 0;
  double mean = 0, deviation = 1;  // deviation > 0
};

struct CategoryTransform {
  std::vector<std::string> values;  // each has a column of its own
};

// Unweighted: 1 for each column that occurs. Weighted: ln(1 + the sum of the weights) * idf. Then divided by the Euclidean length.
struct SetTransform {
  std::vector<std::string> values;
  bool weighted = false;
  std::vector<float> idf;  // [values + 1], the last of the rare column; weighted sets alone, otherwise empty
};

struct FlagTransform {};

// ln(1 + count) * idf for each bucket, then divided by the Euclidean length (engine/words.h).
struct TextTransform {
  int bits = 12;
  std::vector<float> idf;          // [2^bits]
  std::vector<std::string> words;  // [2^bits] a frequent word of each bucket, for people; empty where there was none
};

// Each number times `scale`.
struct VectorTransform {
  int32_t length = 0;
  float scale = 1;
};

// In the order of AttributeType.
using AttributeTransform = std::variant<NumberTransform, CategoryTransform, SetTransform, FlagTransform, TextTransform, VectorTransform>;

struct Attribute {
  std::string name;
  AttributeTransform transform;

  AttributeType type() const { return static_cast<AttributeType>(transform.index()); }
};

inline constexpr int kMinTextBits = 4, kMaxTextBits = 17;

// Immutable; thread-safe. Made for at most kMaxDenseAttributeColumns and kMaxAttributeColumns (engine/attribute_rows.h).
class AttributeSchema {
 public:
  // Where one attribute's columns are. `sparse` is the first sparse one, numbered after all dense ones.
  struct Place {
    int32_t dense = 0, dense_count = 0;
    int32_t sparse = 0, sparse_count = 0;
    int32_t missing() const { return sparse + sparse_count - 1; }
    int32_t rare() const { return missing() - 1; }  // of categories and sets
  };

  AttributeSchema() = default;  // no attributes

  // Errors: InvalidArgument naming the attribute: an empty or repeated name, a transform whose arrays or numbers are impossible, more
  // columns than the limits.
  static absl::StatusOr<AttributeSchema> make(std::vector<Attribute> attributes);

  bool empty() const { return attributes_.empty(); }
  std::span<const Attribute> attributes() const { return attributes_; }
  const Place& place(size_t attribute) const { return places_[attribute]; }
  int32_t dense_count() const { return dense_count_; }
  int32_t column_count() const { return column_count_; }

  int32_t find(std::string_view name) const { return names_.find(name); }  // the attribute's position, or kNone
  // The sparse column of a value of attribute `attribute`, a category or a set: its own, or the rare one.
  int32_t value_column(size_t attribute, std::string_view value) const;

  std::vector<int32_t> missing_columns() const;  // by attribute, ascending

  // The position of the attribute whose column it is; 0 <= column < column_count().
  size_t attribute_of(int32_t column) const { return static_cast<size_t>(attributes_by_column_[static_cast<size_t>(column)]); }

  // For people: "age", "country = DE", "country = (rare)", "country missing", "member = true", "title ~ word", "title ~ (bucket 7)",
  // "embedding[3]". 0 <= column < column_count().
  std::string column_name(int32_t column) const;

 private:
  std::vector<Attribute> attributes_;
  std::vector<Place> places_;
  NameIndex names_;
  std::vector<absl::flat_hash_map<std::string, int32_t>> columns_by_value_;  // by attribute
  std::vector<int32_t> attributes_by_column_;
  int32_t dense_count_ = 0, column_count_ = 0;
};

}  // namespace bouquet
