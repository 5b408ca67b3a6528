#include "cuda/attribute_staging.h"

#include <algorithm>

namespace bouquet::cuda {
namespace {

constexpr int64_t kUsualEntries = 256;  // of a row: a batch of these goes in one piece

// A row's sparse columns are distinct, so it has no more entries than there are columns.
int64_t max_entries(const ProfilerShape& shape) {
  const int64_t sparse = shape.attribute_columns - shape.dense_columns;
  return sparse == 0 ? 0 : std::max(sparse, shape.limits.max_batch * kUsualEntries);
}
int64_t dense_size(const ProfilerShape& shape) { return int64_t{shape.limits.max_batch} * shape.dense_columns; }
int64_t offset_count(const ProfilerShape& shape) { return shape.attribute_columns == 0 ? 0 : int64_t{shape.limits.max_batch} + 1; }

}  // namespace

AttributeStaging::AttributeStaging(const ProfilerShape& shape, const Stream& stream)
    : column_count_(shape.attribute_columns),
      dense_count_(shape.dense_columns),
      dense_(dense_size(shape), stream),
      values_(max_entries(shape), stream),
      offsets_(offset_count(shape), stream),
      columns_(max_entries(shape), stream),
      host_dense_(dense_.size()),
      host_values_(values_.size()),
      host_offsets_(offsets_.size()),
      host_columns_(columns_.size()) {}

void AttributeStaging::count_memory(const ProfilerShape& shape, MemoryTable& table) {
  table.add("attributes of histories", dense_size(shape) * int64_t{sizeof(float)} + offset_count(shape) * int64_t{sizeof(int64_t)} +
                                           max_entries(shape) * int64_t{sizeof(float) + sizeof(int32_t)});
}

int32_t AttributeStaging::fitting(const AttributeRows& rows, int32_t first, int32_t count) const {
  if (column_count_ == 0) return count;
  const auto entries_up_to = [&](int32_t rows_taken) {
    return rows.offsets[static_cast<size_t>(first + rows_taken)] - rows.offsets[static_cast<size_t>(first)];
  };
  while (count > 1 && entries_up_to(count) > columns_.size()) --count;
  return count;
}

void AttributeStaging::upload(const AttributeRows& rows, int32_t first, int32_t count) {
  if (column_count_ == 0) return;
  const std::span<const int64_t> offsets = rows.offsets.subspan(static_cast<size_t>(first), static_cast<size_t>(count) + 1);
  const auto begin = static_cast<size_t>(offsets.front()), entries = static_cast<size_t>(offsets.back() - offsets.front());
  for (int32_t r = 0; r <= count; ++r) host_offsets_[r] = offsets[static_cast<size_t>(r)] - offsets.front();
  offsets_.upload(std::as_const(host_offsets_).span().first(static_cast<size_t>(count) + 1));
  const auto width = static_cast<size_t>(dense_count_);
  send(rows.dense.subspan(static_cast<size_t>(first) * width, static_cast<size_t>(count) * width), host_dense_, dense_);
  send(rows.columns.subspan(begin, entries), host_columns_, columns_);
  send(rows.values.subspan(begin, entries), host_values_, values_);
}

DeviceAttributes AttributeStaging::view() const {
  return {column_count_, dense_count_, dense_.data(), offsets_.data(), columns_.data(), values_.data()};
}

}  // namespace bouquet::cuda
