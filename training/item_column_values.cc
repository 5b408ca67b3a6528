#include "training/item_column_values.h"

#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/catalog_item.h"
#include "training/attribute_cells.h"
#include "training/cell_values.h"

namespace bouquet::training {
namespace {

bool is_text(AttributeType type) { return type == AttributeType::kCategory || type == AttributeType::kText; }

// Ordered by bytes as the times are: 2026-01-31T00:00:00Z.
std::string_view utc_text(int64_t microseconds, TextArena& arena) {
  return arena.copy(absl::FormatTime(kMomentFormat, absl::FromUnixMicros(microseconds), absl::UTCTimeZone()));
}

}  // namespace

ItemColumnValues::ItemColumnValues(std::span<const ItemColumn> columns, TimeParser times) : times_(times) {
  int64_t room = kMaxCatalogColumns;
  for (const ItemColumn& column : columns) {
    Values& values = columns_.emplace_back();
    values.column = column;
    const bool fits = column.type != AttributeType::kVector;
    values.kept = fits && room > 0;
    if (fits && room-- <= 0) ++left_out_;
  }
}

void ItemColumnValues::resize(size_t items) {
  for (Values& values : columns_) {
    if (!values.kept) continue;
    const AttributeType type = values.column.type;
    if (type == AttributeType::kNumber) values.numbers.resize(items, std::numeric_limits<double>::quiet_NaN());
    if (type == AttributeType::kFlag) values.flags.resize(items, kMissingFlag);
    if (is_text(type)) values.texts.resize(items);
    if (type == AttributeType::kSet) values.sets.resize(items);
  }
}

const char* ItemColumnValues::read(size_t c, const Cell& cell, TextArena& arena) {
  Values& values = columns_[c];
  if (!values.column.is_time || cell.is_null()) {
    if (const char* problem = read_attribute(cell, values.column.type, arena, values.last)) return problem;
    const bool is_set = values.column.type == AttributeType::kSet && !values.last.is_missing();
    return is_set && !elements_.read(values.last, false).ok() ? "has an element of more than 64 KiB, the most it may have" : nullptr;
  }
  int64_t microseconds = 0;
  if (const char* problem = read_time(cell, times_, microseconds)) return problem;
  values.last = AttributeValue::of_text(utc_text(microseconds, arena));
  return nullptr;
}

void ItemColumnValues::keep(size_t item) {
  for (Values& values : columns_) {
    if (!values.kept || values.last.is_missing()) continue;
    const AttributeType type = values.column.type;
    if (type == AttributeType::kNumber) values.numbers[item] = values.last.number;
    if (type == AttributeType::kFlag) values.flags[item] = values.last.number != 0;
    if (is_text(type)) values.texts[item] = catalog_text(values.last.text);
    if (type == AttributeType::kSet) keep_set(values, item);
  }
}

void ItemColumnValues::keep_set(Values& values, size_t item) {
  std::vector<std::string>& set = values.sets[item].emplace();
  if (!elements_.read(values.last, false).ok()) return;  // read() has said so
  for (const SetElements::Element& element : elements_.elements()) {
    const size_t colon = values.column.weighted ? element.text.rfind(':') : std::string_view::npos;
    set.emplace_back(catalog_text(element.text.substr(0, colon)));
  }
}

CatalogColumns ItemColumnValues::finish() {
  CatalogColumnsBuilder builder;
  for (Values& values : columns_) {
    if (!values.kept) continue;
    const AttributeType type = values.column.type;
    if (type == AttributeType::kNumber) builder.add_numbers(values.column.name, std::move(values.numbers));
    if (type == AttributeType::kFlag) builder.add_flags(values.column.name, std::move(values.flags));
    if (is_text(type)) builder.add_categories(values.column.name, std::move(values.texts));
    if (type == AttributeType::kSet) builder.add_sets(values.column.name, std::move(values.sets));
  }
  columns_.clear();
  return builder.finish();
}

}  // namespace bouquet::training
