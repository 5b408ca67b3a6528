// Collects encoded rows in the order of a file into a table in the order of the entities.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_encoder.h"
#include "engine/attribute_rows.h"

namespace bouquet::training {

class AttributeTableBuilder {
 public:
  // For a table of `rows` rows. `schema` must outlive this.
  AttributeTableBuilder(const AttributeSchema& schema, int64_t rows);

  // Encodes row `row`, which has not been added before. Errors: InvalidArgument as AttributeEncoder::encode; the row counts as not added.
  absl::Status add(int64_t row, std::span<const AttributeValue> values);

  // As AttributeEncoder::check.
  absl::Status check(size_t attribute, const AttributeValue& value) { return encoder_.check(attribute, value); }

  // Rows that were not added have every attribute missing. Where rows were added in another order than theirs, the sparse part is in
  // memory twice for the moment.
  AttributeTable finish() &&;

 private:
  struct Piece {
    int64_t begin = -1;  // in columns_; -1: not added
    int32_t length = 0;
  };
  bool in_order() const;
  void reorder();

  const AttributeSchema& schema_;
  AttributeEncoder encoder_;
  std::vector<Piece> pieces_;  // by row
  std::vector<float> dense_;
  std::vector<int32_t> columns_;
  std::vector<float> values_;
};

}  // namespace bouquet::training
