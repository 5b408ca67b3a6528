#include "training/attribute_table_builder.h"

#include <utility>

namespace bouquet::training {

AttributeTableBuilder::AttributeTableBuilder(const AttributeSchema& schema, int64_t rows)
    : schema_(schema),
      encoder_(schema),
      pieces_(static_cast<size_t>(rows)),
      dense_(static_cast<size_t>(rows) * static_cast<size_t>(schema.dense_count())) {}

absl::Status AttributeTableBuilder::add(int64_t row, std::span<const AttributeValue> values) {
  const auto width = static_cast<size_t>(schema_.dense_count());
  const auto begin = static_cast<int64_t>(columns_.size());
  const std::span<float> dense = std::span(dense_).subspan(static_cast<size_t>(row) * width, width);
  if (absl::Status s = encoder_.encode(values, dense, columns_, values_); !s.ok()) return s;
  pieces_[static_cast<size_t>(row)] = {begin, static_cast<int32_t>(static_cast<int64_t>(columns_.size()) - begin)};
  return absl::OkStatus();
}

bool AttributeTableBuilder::in_order() const {
  int64_t next = 0;
  for (const Piece& piece : pieces_)
    if (piece.begin != std::exchange(next, next + piece.length)) return false;
  return true;
}

void AttributeTableBuilder::reorder() {
  int64_t total = 0;
  for (const Piece& piece : pieces_) total += piece.length;
  std::vector<int32_t> columns;
  std::vector<float> values;
  columns.reserve(static_cast<size_t>(total));
  values.reserve(static_cast<size_t>(total));
  for (const Piece& piece : pieces_) {
    columns.insert(columns.end(), columns_.begin() + piece.begin, columns_.begin() + piece.begin + piece.length);
    values.insert(values.end(), values_.begin() + piece.begin, values_.begin() + piece.begin + piece.length);
  }
  columns_ = std::move(columns);
  values_ = std::move(values);
}

AttributeTable AttributeTableBuilder::finish() && {
  const std::vector<AttributeValue> missing(schema_.attributes().size());
  for (size_t row = 0; row < pieces_.size(); ++row)
    if (pieces_[row].begin < 0) (void)add(static_cast<int64_t>(row), missing);  // nothing is wrong with what is missing
  if (!in_order()) reorder();
  std::vector<int64_t> offsets{0};
  offsets.reserve(pieces_.size() + 1);
  for (const Piece& piece : pieces_) offsets.push_back(offsets.back() + piece.length);
  AttributeTable table;
  table.column_count = schema_.column_count();
  table.dense_count = schema_.dense_count();
  table.dense = std::move(dense_);
  table.offsets = std::move(offsets);
  table.columns = std::move(columns_);
  table.values = std::move(values_);
  return table;
}

}  // namespace bouquet::training
