#include "training/set_attributes.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "training/attribute_files.h"

namespace bouquet::training {
namespace {

AttributeTable rows_of(const AttributeTable& table, const std::vector<int32_t>& rows) {
  GrowingAttributes taken(table.column_count, table.dense_count);
  const AttributeRows all = table.rows();
  for (const int32_t r : rows) taken.append_row(all, r);
  return std::move(taken).take();
}

absl::Status add_side(const EntityAttributes& known, const IdMap& ids, const std::vector<int32_t>& rows, AttributeTable& table,
                      AttributeSchema& schema) {
  if (known.schema.empty()) return absl::OkStatus();
  if (rows.size() == static_cast<size_t>(ids.size())) {  // they ascend, so these are all of them in order
    table = known.table;
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

absl::StatusOr<TrainingSet> training_set(const Dataset& dataset, const std::vector<uint8_t>& fitted, bool attributes) {
  auto set = build_training_set(dataset, fitted, attributes);
  if (!set.ok() || !attributes) return set;
  if (absl::Status s = add_attributes(dataset, *set); !s.ok()) return s;
  return set;
}

}  // namespace bouquet::training
