#include "engine/catalog_columns_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/views.h"

namespace bouquet {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T> values) {
  to.insert(to.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
}

// Every text once, ascending.
StringColumn distinct_texts(const std::vector<std::string>& categories, const std::vector<CatalogColumnsBuilder::Set>& sets) {
  std::vector<std::string_view> all(categories.begin(), categories.end());
  for (const auto& set : sets)
    if (set) all.insert(all.end(), set->begin(), set->end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::vector<char> bytes;
  std::vector<uint64_t> offsets{0};
  for (const std::string_view text : all) {
    if (text.empty()) continue;
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(bytes.size());
  }
  if (bytes.empty()) return {};
  return {std::move(bytes), std::move(offsets)};
}

}  // namespace

void CatalogColumnsBuilder::add_numbers(std::string name, std::vector<double> values) {
  columns_.push_back({std::move(name), AttributeType::kNumber});
  append(numbers_, std::move(values));
}

void CatalogColumnsBuilder::add_flags(std::string name, std::vector<uint8_t> values) {
  columns_.push_back({std::move(name), AttributeType::kFlag});
  append(flags_, std::move(values));
}

void CatalogColumnsBuilder::add_categories(std::string name, std::vector<std::string> values) {
  columns_.push_back({std::move(name), AttributeType::kCategory});
  append(categories_, std::move(values));
}

void CatalogColumnsBuilder::add_sets(std::string name, std::vector<Set> values) {
  columns_.push_back({std::move(name), AttributeType::kSet});
  append(sets_, std::move(values));
}

CatalogColumns CatalogColumnsBuilder::finish() {
  CatalogColumns out;
  out.texts = distinct_texts(categories_, sets_);
  std::vector<int32_t> codes;
  for (const std::string& text : categories_) codes.push_back(text.empty() ? kNone : out.code_of(text));
  std::vector<int64_t> offsets;
  std::vector<int32_t> set_codes;
  const bool has_sets = std::any_of(columns_.begin(), columns_.end(), [](const auto& c) { return c.type == AttributeType::kSet; });
  if (has_sets) offsets.push_back(0);
  for (const Set& set : sets_) {
    std::vector<int32_t> list;
    if (!set) list.push_back(kNone);
    for (const std::string& text : set.value_or(std::vector<std::string>()))
      if (!text.empty()) list.push_back(out.code_of(text));
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    set_codes.insert(set_codes.end(), list.begin(), list.end());
    offsets.push_back(static_cast<int64_t>(set_codes.size()));
  }
  out.columns = std::move(columns_);
  out.numbers = std::move(numbers_);
  out.flags = std::move(flags_);
  out.codes = std::move(codes);
  out.set_offsets = std::move(offsets);
  out.set_codes = std::move(set_codes);
  *this = {};
  return out;
}

}  // namespace bouquet
