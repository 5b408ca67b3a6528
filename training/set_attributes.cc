#include "training/set_attributes.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "training/attribute_files.h"

namespace bouquet::training {
namespace {

AttributeTable rows_of(const AttributeTable& table, const std::vector<int32_t>& rows) {
  const AttributeRows all = table.rows();
  std::vector<float> dense, values;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  for (const int32_t r : rows) {
    const auto row_dense = all.dense_row(r);
    const auto row_columns = all.row_columns(r);
    const auto row_values = all.row_values(r);
    dense.insert(dense.end(), row_dense.begin(), row_dense.end());
    columns.insert(columns.end(), row_columns.begin(), row_columns.end());
    values.insert(values.end(), row_values.begin(), row_values.end());
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  return {table.column_count, table.dense_count, std::move(dense), std::move(offsets), std::move(columns), std::move(values)};
}

absl::Status add_side(const EntityAttributes& known, const IdMap& ids, const std::vector<int32_t>& rows, AttributeTable& table,
                      AttributeSchema& schema) {
  if (known.schema.empty()) return absl::OkStatus();
  if (rows.size() == static_cast<size_t>(ids.size())) {
    table = rows_of(known.table, rows);
    schema = known.schema;
    return absl::OkStatus();
  }
  std::vector<uint8_t> fitted(static_cast<size_t>(ids.size()), 0);
  for (const int32_t r : rows) fitted[static_cast<size_t>(r)] = 1;
  ReadReport counted_before;
  auto again = read_attributes(known.source, ids, fitted, counted_before);
  if (!again.ok()) return again.status();
  if (again->schema.empty()) return absl::OkStatus();
  table = rows_of(again->table, rows);
  schema = std::move(again->schema);
  return absl::OkStatus();
}

}  // namespace

bool has_attributes(const Dataset& dataset) {
  return !dataset.customer_attributes.schema.empty() || !dataset.item_attributes.schema.empty();
}

absl::Status add_attributes(const Dataset& dataset, TrainingSet& set) {
  if (absl::Status s = add_side(dataset.customer_attributes, dataset.customers, set.customers, set.interactions.customer_attributes,
                                set.customer_schema);
      !s.ok())
    return s;
  return add_side(dataset.item_attributes, dataset.items, set.items, set.interactions.item_attributes, set.item_schema);
}

}  // namespace bouquet::training
