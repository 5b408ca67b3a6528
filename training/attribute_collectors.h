// What is gathered of one attribute's present values while a file streams by, until its transform can be fixed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "engine/attribute_schema.h"
#include "training/attribute_settings.h"

namespace bouquet::training {

inline constexpr size_t kMaxCountedValues = 500000;  // different values of one category or set

class AttributeCollector {
 public:
  virtual ~AttributeCollector() = default;
  // A value that check_value has passed and that is not missing; `key` names the row for sampling. Errors: InvalidArgument, saying what is
  // wrong with this value; FailedPrecondition, saying why the attribute cannot be of this type.
  virtual absl::Status add(uint64_t key, const AttributeValue& value) = 0;
  // Whether add() would take such a value now.
  virtual absl::Status check(const AttributeValue&) { return absl::OkStatus(); }
  // The frozen transform, after `present` values.
  virtual AttributeTransform finish(int64_t present) const = 0;
  // Whether the values name rows rather than describe them: at least 100, nearly all different, and each a single word or whole number.
  virtual bool is_id_like(int64_t present) const = 0;
};

// The rules by type:
//   number    limits: the 0.1 and 99.9 percentile, then mean and standard deviation of what was clipped. Taken from at most `sample_rows`
//             values, chosen by hash of the key. Where the limits leave one value alone (99.9 % of the values are equal), nothing is
//             clipped
//   category  columns for the max_values most frequent values with at least min_count rows, by falling count, then as text
//   set       the same by element. Weighted: idf = ln((1 + n) / (1 + rows with it)) + 1
//   text      idf = ln((1 + n) / (1 + rows with the bucket)) + 1; the word shown for a bucket is the one most of its occurrences voted for
//             (Boyer and Moore's majority vote)
//   vector    scaled by one number, so that the root mean square length is 1; the first vector's length is every vector's
std::unique_ptr<AttributeCollector> make_collector(AttributeType type, const AttributeSetting& setting, size_t sample_rows);

}  // namespace bouquet::training
