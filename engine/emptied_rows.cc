#include "engine/emptied_rows.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/id_map.h"

namespace bouquet {
namespace {

// 128 bits: nobody meets one by chance.
std::string random_id(std::random_device& random) {
  std::string id;
  for (int i = 0; i < 32; ++i) id.push_back("0123456789abcdef"[random() & 15]);
  return id;
}

IdTable with_random_ids(const IdTable& ids, const std::vector<bool>& gone) {
  std::random_device random;
  IdMap out;
  for (int32_t row = 0; row < ids.size(); ++row) {
    if (gone[static_cast<size_t>(row)])
      out.add(random_id(random));
    else
      out.add(ids.id(row));
  }
  return std::move(out).freeze();
}

template <typename T>
SharedArray<T> kept(const SharedArray<T>& pairs, const std::vector<bool>& keep) {
  if (pairs.empty()) return pairs;
  std::vector<T> out;
  for (size_t p = 0; p < keep.size(); ++p)
    if (keep[p]) out.push_back(pairs[static_cast<int64_t>(p)]);
  return out;
}

void empty_histories(const std::vector<bool>& gone, Histories& all) {
  if (all.offsets.empty()) return;
  std::vector<bool> keep(static_cast<size_t>(all.items.size()), true);
  std::vector<int64_t> offsets{0};
  for (size_t row = 0; row < gone.size(); ++row) {
    const int64_t begin = all.offsets[static_cast<int64_t>(row)], end = all.offsets[static_cast<int64_t>(row) + 1];
    for (int64_t p = begin; gone[row] && p < end; ++p) keep[static_cast<size_t>(p)] = false;
    offsets.push_back(offsets.back() + (gone[row] ? 0 : end - begin));
  }
  all = {.offsets = std::move(offsets),
         .items = kept(all.items, keep),
         .confidences = kept(all.confidences, keep),
         .targets = kept(all.targets, keep),
         .consumed = kept(all.consumed, keep),
         .repurchase = kept(all.repurchase, keep),
         .counts = kept(all.counts, keep),
         .given = kept(all.given, keep),
         .net = kept(all.net, keep),
         .minutes = kept(all.minutes, keep)};
}

void empty_attributes(const std::vector<bool>& gone, AttributeTable& table) {
  if (table.empty()) return;
  GrowingAttributes rows(table.column_count, table.dense_count);
  const std::vector<float> nothing(static_cast<size_t>(table.dense_count), 0);
  const AttributeRows before = table.rows();
  for (size_t row = 0; row < gone.size(); ++row) {
    if (gone[row])
      rows.append(nothing, {}, {});
    else
      rows.append_row(before, static_cast<int64_t>(row));
  }
  table = std::move(rows).take();
}

}  // namespace

void empty_customer_rows(std::span<const CustomerIndex> rows, Artifact& artifact) {
  std::vector<bool> gone(static_cast<size_t>(artifact.customer_ids.size()), false);
  for (const CustomerIndex row : rows) gone[static_cast<size_t>(row)] = true;
  artifact.customer_ids = with_random_ids(artifact.customer_ids, gone);
  std::vector<float> profiles(artifact.model.profiles.begin(), artifact.model.profiles.end());
  for (const CustomerIndex row : rows)
    std::fill_n(profiles.begin() + static_cast<std::ptrdiff_t>(row) * artifact.model.dimension, artifact.model.dimension, 0.0f);
  artifact.model.profiles = std::move(profiles);
  empty_histories(gone, artifact.histories);
  empty_attributes(gone, artifact.customer_attributes.table);
}

}  // namespace bouquet
