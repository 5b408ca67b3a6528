#include "engine/added_items.h"

#include <limits>
#include <numeric>
#include <utility>

#include "engine/views.h"

namespace bouquet {
namespace {

template <typename T>
SharedArray<T> longer(const SharedArray<T>& array, int64_t count, T value) {
  std::vector<T> all(array.begin(), array.end());
  all.insert(all.end(), static_cast<size_t>(count), value);
  return all;
}

// An array of `size` entries or none, with `value` for each row that is added.
template <typename T>
SharedArray<T> longer_if_any(const SharedArray<T>& array, int64_t count, T value) {
  return array.empty() ? array : longer(array, count, value);
}

// Offsets, or none: the rows that are added are empty.
template <typename T>
SharedArray<T> longer_offsets(const SharedArray<T>& offsets, int64_t count) {
  return offsets.empty() ? offsets : longer(offsets, count, offsets[offsets.size() - 1]);
}

// Columns of `rows` each, one behind the other: `value` for the rows that each gets.
template <typename T>
SharedArray<T> longer_columns(const SharedArray<T>& columns, int64_t rows, int64_t count, T value) {
  std::vector<T> all;
  for (int64_t begin = 0; begin < columns.size(); begin += rows) {
    all.insert(all.end(), columns.begin() + begin, columns.begin() + begin + rows);
    all.insert(all.end(), static_cast<size_t>(count), value);
  }
  return all;
}

CatalogColumns with_missing_rows(const CatalogColumns& columns, int64_t rows, int64_t count) {
  CatalogColumns out = columns;
  if (rows == 0) return out;
  out.numbers = longer_columns(columns.numbers, rows, count, std::numeric_limits<double>::quiet_NaN());
  out.flags = longer_columns(columns.flags, rows, count, kMissingFlag);
  out.codes = longer_columns(columns.codes, rows, count, kNone);
  if (columns.set_offsets.empty()) return out;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> codes;
  for (int64_t list = 0; list + 1 < columns.set_offsets.size(); ++list) {
    const int64_t begin = columns.set_offsets[list], end = columns.set_offsets[list + 1];
    codes.insert(codes.end(), columns.set_codes.begin() + begin, columns.set_codes.begin() + end);
    offsets.push_back(static_cast<int64_t>(codes.size()));
    if ((list + 1) % rows != 0) continue;
    for (int64_t i = 0; i < count; ++i) {
      codes.push_back(kNone);
      offsets.push_back(static_cast<int64_t>(codes.size()));
    }
  }
  out.set_offsets = std::move(offsets);
  out.set_codes = std::move(codes);
  return out;
}

}  // namespace

Artifact with_items(const Artifact& artifact, const AddedItems& added) {
  Artifact out = artifact;
  const int64_t rows = artifact.item_ids.size();
  const auto count = static_cast<int64_t>(added.ids.size());
  IdMap ids;
  for (int32_t i = 0; i < artifact.item_ids.size(); ++i) ids.add(artifact.item_ids.id(i));
  for (const std::string& id : added.ids) ids.add(id);
  out.item_ids = std::move(ids).freeze();
  std::vector<float> vectors(artifact.model.item_vectors.begin(), artifact.model.item_vectors.end());
  vectors.insert(vectors.end(), added.vectors.begin(), added.vectors.end());
  out.model.item_vectors = std::move(vectors);
  out.catalog.kinds = longer_if_any(artifact.catalog.kinds, count, static_cast<uint8_t>(ItemKind::kProduct));
  out.catalog.titles.offsets = longer_offsets(artifact.catalog.titles.offsets, count);
  out.catalog.categories.offsets = longer_offsets(artifact.catalog.categories.offsets, count);
  out.catalog.columns = with_missing_rows(artifact.catalog.columns, rows, count);
  out.item_customers = longer_if_any(artifact.item_customers, count, int32_t{0});
  out.co_purchases.item_baskets = longer_if_any(artifact.co_purchases.item_baskets, count, int32_t{0});
  if (added.links.empty()) {
    out.content_links.offsets = longer_offsets(artifact.content_links.offsets, count);
  } else {
    std::vector<int32_t> items(added.ids.size());
    std::iota(items.begin(), items.end(), static_cast<int32_t>(rows));
    out.content_links = with_links(artifact.content_links, out.model, items, added.links);
  }
  out.co_purchases.offsets = longer_offsets(artifact.co_purchases.offsets, count);
  return out;
}

}  // namespace bouquet
