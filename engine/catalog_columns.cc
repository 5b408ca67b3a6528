#include "engine/catalog_columns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "engine/errors.h"
#include "engine/views.h"

namespace bouquet {
namespace {

int64_t count_of(const CatalogColumns& columns, AttributeType type) {
  return std::count_if(columns.columns.begin(), columns.columns.end(), [type](const CatalogColumn& c) { return c.type == type; });
}

absl::Status bad_columns(const std::string& what) { return bad_input("item columns: " + what); }

absl::Status check_size(const char* name, int64_t size, int64_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return bad_columns(std::string(name) + ": " + std::to_string(size) + " entries where " + std::to_string(wanted) + " belong");
}

absl::Status check_names(const CatalogColumns& columns) {
  if (columns.columns.size() > kMaxCatalogColumns)
    return bad_columns(std::to_string(columns.columns.size()) + " columns; at most " + std::to_string(kMaxCatalogColumns));
  std::set<std::string_view> seen;
  for (const CatalogColumn& column : columns.columns) {
    if (column.name.empty()) return bad_columns("a column has no name");
    if (is_catalog_field(column.name)) return bad_columns("'" + column.name + "' is a field of every item");
    if (!seen.insert(column.name).second) return bad_columns("two are named '" + column.name + "'");
    if (column.type == AttributeType::kText || column.type == AttributeType::kVector)
      return bad_columns("'" + column.name + "' is of type " + std::string(attribute_type_name(column.type)));
  }
  return absl::OkStatus();
}

absl::Status check_texts(const StringColumn& texts) {
  if (texts.offsets.empty()) return check_size("texts without offsets", texts.bytes.size(), 0);
  if (texts.offsets.size() > std::numeric_limits<int32_t>::max()) return bad_columns("more texts than 32 bits count");
  const auto offsets = texts.offsets.view();
  if (offsets.front() != 0 || offsets.back() != static_cast<uint64_t>(texts.bytes.size()))
    return bad_columns("the offsets of texts do not end where the texts do");
  for (size_t t = 0; t + 1 < offsets.size(); ++t)
    if (offsets[t + 1] <= offsets[t] || offsets[t + 1] > offsets.back()) return bad_columns("text " + std::to_string(t) + " is empty");
  for (int64_t t = 0; t + 2 < texts.offsets.size(); ++t)
    if (texts.at(t) >= texts.at(t + 1)) return bad_columns("text " + std::to_string(t + 1) + " is out of order");
  return absl::OkStatus();
}

absl::Status check_lists(const CatalogColumns& columns, int64_t lists) {
  const auto offsets = columns.set_offsets.view();
  if (lists == 0 && offsets.empty()) return check_size("set codes without offsets", columns.set_codes.size(), 0);
  if (absl::Status s = check_size("set offsets", columns.set_offsets.size(), lists + 1); !s.ok()) return s;
  if (offsets.front() != 0 || offsets.back() != columns.set_codes.size()) return bad_columns("set offsets do not end where set codes do");
  for (size_t l = 0; l + 1 < offsets.size(); ++l)
    if (offsets[l + 1] < offsets[l]) return bad_columns("set offsets: entry " + std::to_string(l + 1) + " falls");
  for (int64_t l = 0; l < lists; ++l) {
    const int64_t begin = columns.set_offsets[l], end = columns.set_offsets[l + 1];
    const bool missing = end == begin + 1 && columns.set_codes[begin] == kNone;
    for (int64_t e = begin; e < end && !missing; ++e)
      if (columns.set_codes[e] < 0 || columns.set_codes[e] >= columns.text_count() ||
          (e > begin && columns.set_codes[e] <= columns.set_codes[e - 1]))
        return bad_columns("set codes: entry " + std::to_string(e) + " is no text, or out of order");
  }
  return absl::OkStatus();
}

// Row rows[i] of each of `count` columns.
template <typename T>
std::vector<T> taken(const SharedArray<T>& from, int64_t count, int64_t row_count, std::span<const int32_t> rows) {
  std::vector<T> out;
  out.reserve(static_cast<size_t>(count) * rows.size());
  for (int64_t c = 0; c < count; ++c)
    for (const int32_t row : rows) out.push_back(from[c * row_count + row]);
  return out;
}

}  // namespace

bool is_catalog_field(std::string_view name) {
  constexpr std::array<std::string_view, 3> kFields = {"title", "category", "kind"};
  return std::find(kFields.begin(), kFields.end(), name) != kFields.end();
}

int32_t CatalogColumns::lower_code(std::string_view text) const {
  int64_t low = 0, high = text_count();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (texts.at(middle) < text)
      low = middle + 1;
    else
      high = middle;
  }
  return static_cast<int32_t>(low);
}

int32_t CatalogColumns::code_of(std::string_view text) const {
  const int32_t code = lower_code(text);
  return code < text_count() && texts.at(code) == text ? code : kNone;
}

int64_t CatalogColumns::rank_of(size_t c) const {
  return std::count_if(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(c),
                       [type = columns[c].type](const CatalogColumn& column) { return column.type == type; });
}

absl::Status validate(const CatalogColumns& columns, int64_t rows) {
  if (absl::Status s = check_names(columns); !s.ok()) return s;
  if (absl::Status s = check_size("numbers", columns.numbers.size(), count_of(columns, AttributeType::kNumber) * rows); !s.ok()) return s;
  if (absl::Status s = check_size("flags", columns.flags.size(), count_of(columns, AttributeType::kFlag) * rows); !s.ok()) return s;
  if (absl::Status s = check_size("codes", columns.codes.size(), count_of(columns, AttributeType::kCategory) * rows); !s.ok()) return s;
  if (absl::Status s = check_texts(columns.texts); !s.ok()) return s;
  for (int64_t i = 0; i < columns.numbers.size(); ++i)
    if (std::isinf(columns.numbers[i])) return bad_columns("numbers: entry " + std::to_string(i) + " is infinite");
  for (int64_t i = 0; i < columns.flags.size(); ++i)
    if (columns.flags[i] > kMissingFlag) return bad_columns("flags: entry " + std::to_string(i) + " is not 0, 1 or 2");
  for (int64_t i = 0; i < columns.codes.size(); ++i)
    if (columns.codes[i] < kNone || columns.codes[i] >= columns.text_count())
      return bad_columns("codes: entry " + std::to_string(i) + " is no text");
  return check_lists(columns, count_of(columns, AttributeType::kSet) * rows);
}

CatalogColumns columns_of_rows(const CatalogColumns& columns, int64_t row_count, std::span<const int32_t> rows) {
  CatalogColumns out;
  out.columns = columns.columns;
  out.texts = columns.texts;
  out.numbers = taken(columns.numbers, count_of(columns, AttributeType::kNumber), row_count, rows);
  out.flags = taken(columns.flags, count_of(columns, AttributeType::kFlag), row_count, rows);
  out.codes = taken(columns.codes, count_of(columns, AttributeType::kCategory), row_count, rows);
  const int64_t sets = count_of(columns, AttributeType::kSet);
  if (sets == 0) return out;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> codes;
  for (int64_t c = 0; c < sets; ++c)
    for (const int32_t row : rows) {
      const int64_t list = c * row_count + row;
      for (int64_t e = columns.set_offsets[list]; e < columns.set_offsets[list + 1]; ++e) codes.push_back(columns.set_codes[e]);
      offsets.push_back(static_cast<int64_t>(codes.size()));
    }
  out.set_offsets = std::move(offsets);
  out.set_codes = std::move(codes);
  return out;
}

}  // namespace bouquet
