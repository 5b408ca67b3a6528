#include "engine/catalog_item.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/catalog_columns_builder.h"
#include "engine/text_beginning.h"
#include "engine/views.h"

namespace bouquet {
namespace {

// The values of one column, of type T; `missing` where an item has none.
template <typename T, typename Out>
std::vector<Out> values_of(std::span<const CatalogItem> items, const std::string& name, const Out& missing) {
  std::vector<Out> out;
  for (const CatalogItem& item : items) {
    const auto at = item.attributes.find(name);
    const T* value = at == item.attributes.end() ? nullptr : std::get_if<T>(&at->second);
    out.push_back(value == nullptr ? missing : Out(*value));
  }
  return out;
}

// The column of that name, if it has this type; otherwise the number of columns.
size_t column_of(const CatalogColumns& columns, std::string_view name, AttributeType type) {
  size_t c = 0;
  while (c < columns.columns.size() && (columns.columns[c].name != name || columns.columns[c].type != type)) ++c;
  return c;
}

// Clears the rows that `allows(row)` refuses.
template <typename Allows>
void keep_where(int64_t row_count, Availability& out, const Allows& allows) {
  for (int64_t i = 0; i < row_count; ++i) {
    if (allows(i)) continue;
    out.bitmap[static_cast<size_t>(i >> 6)] &= ~(uint64_t{1} << (i & 63));
    out.all = false;
  }
}

// Texts have codes in their order, so that comparing with the moment is comparing codes. `from`: rows are allowed from their text on;
// otherwise up to it.
void keep_times(const CatalogColumns& columns, std::string_view name, bool from, int64_t row_count, std::string_view moment,
                Availability& out) {
  const size_t c = column_of(columns, name, AttributeType::kCategory);
  if (c == columns.columns.size()) return;
  const auto codes = columns.codes_of(c, row_count);
  // Of all texts those before `later` are not after the moment.
  const int32_t at_moment = columns.code_of(moment);
  const int32_t later = at_moment == kNone ? columns.lower_code(moment) : at_moment + 1;
  int32_t next = std::numeric_limits<int32_t>::max();
  for (const int32_t code : codes)
    if (code >= later) next = std::min(next, code);
  if (next != std::numeric_limits<int32_t>::max())
    if (const std::string_view text = columns.texts.at(next); out.next.empty() || text < out.next) out.next = text;
  keep_where(row_count, out, [&](int64_t i) {
    const int32_t code = codes[static_cast<size_t>(i)];
    return code == kNone || (code < later) == from;
  });
}

}  // namespace

std::string_view catalog_text(std::string_view text) { return text_beginning(text, 1024); }

AttributeType type_of(const CatalogValue& value) {
  constexpr AttributeType kTypes[] = {AttributeType::kNumber, AttributeType::kFlag, AttributeType::kCategory, AttributeType::kSet};
  return kTypes[value.index()];
}

CatalogItem item_at(const Catalog& catalog, int64_t row_count, int64_t row) {
  CatalogItem item{catalog.kind(row), std::string(catalog.titles.at(row)), std::string(catalog.categories.at(row))};
  const CatalogColumns& columns = catalog.columns;
  const auto at = static_cast<size_t>(row);
  for (size_t c = 0; c < columns.columns.size(); ++c) {
    const std::string& name = columns.columns[c].name;
    switch (columns.columns[c].type) {
      case AttributeType::kNumber:
        if (const double value = columns.numbers_of(c, row_count)[at]; !std::isnan(value)) item.attributes[name] = value;
        break;
      case AttributeType::kFlag:
        if (const uint8_t value = columns.flags_of(c, row_count)[at]; value != kMissingFlag) item.attributes[name] = value != 0;
        break;
      case AttributeType::kSet: {
        const auto offsets = columns.set_offsets_of(c, row_count);
        const auto codes =
            columns.set_codes.view().subspan(static_cast<size_t>(offsets[at]), static_cast<size_t>(offsets[at + 1] - offsets[at]));
        if (codes.size() == 1 && codes[0] == kNone) break;
        std::vector<std::string> set;
        for (const int32_t code : codes) set.emplace_back(columns.texts.at(code));
        item.attributes[name] = std::move(set);
        break;
      }
      default:
        if (const int32_t code = columns.codes_of(c, row_count)[at]; code != kNone)
          item.attributes[name] = std::string(columns.texts.at(code));
    }
  }
  return item;
}

Catalog catalog_of(std::span<const CatalogItem> items, std::span<const CatalogColumn> columns) {
  Catalog out;
  std::vector<uint8_t> kinds;
  std::vector<std::string> titles, categories;
  for (const CatalogItem& item : items) {
    kinds.push_back(static_cast<uint8_t>(item.kind));
    titles.push_back(item.title);
    categories.push_back(item.category);
  }
  out.kinds = std::move(kinds);
  out.titles = string_column(titles);
  out.categories = string_column(categories);
  CatalogColumnsBuilder builder;
  for (const CatalogColumn& column : columns) switch (column.type) {
      case AttributeType::kNumber:
        builder.add_numbers(column.name, values_of<double>(items, column.name, std::numeric_limits<double>::quiet_NaN()));
        break;
      case AttributeType::kFlag: builder.add_flags(column.name, values_of<bool>(items, column.name, kMissingFlag)); break;
      case AttributeType::kSet:
        builder.add_sets(column.name, values_of<std::vector<std::string>>(items, column.name, CatalogColumnsBuilder::Set()));
        break;
      default: builder.add_categories(column.name, values_of<std::string>(items, column.name, std::string()));
    }
  out.columns = builder.finish();
  return out;
}

Availability availability(const Catalog& catalog, int64_t row_count, std::string_view moment) {
  Availability out;
  out.bitmap.assign(static_cast<size_t>(bitmap_word_count(row_count)), ~uint64_t{0});
  if (row_count % 64 != 0) out.bitmap.back() = (uint64_t{1} << (row_count % 64)) - 1;
  const CatalogColumns& columns = catalog.columns;
  if (const size_t c = column_of(columns, "stock", AttributeType::kNumber); c < columns.columns.size()) {
    const auto stock = columns.numbers_of(c, row_count);
    keep_where(row_count, out, [&](int64_t i) { return !(stock[static_cast<size_t>(i)] <= 0); });
  }
  if (const size_t c = column_of(columns, "available", AttributeType::kFlag); c < columns.columns.size()) {
    const auto available = columns.flags_of(c, row_count);
    keep_where(row_count, out, [&](int64_t i) { return available[static_cast<size_t>(i)] != 0; });
  }
  keep_times(columns, "available_from", true, row_count, moment, out);
  keep_times(columns, "available_until", false, row_count, moment, out);
  return out;
}

}  // namespace bouquet
