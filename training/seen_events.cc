#include "training/seen_events.h"

#include <algorithm>
#include <utility>

#include "training/part_histories.h"

namespace bouquet::training {
namespace {

constexpr int32_t kFoldInBatch = 64;

// Histories by growing columns.
struct Columns {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items, counts;
  std::vector<float> confidences, targets, repurchase;
  std::vector<uint8_t> consumed;

  void add(const std::vector<HistoryEntry>& merged) {
    for (const HistoryEntry& entry : merged) {
      items.push_back(entry.item);
      confidences.push_back(entry.confidence);
      targets.push_back(entry.target);
      consumed.push_back(entry.consumed ? 1 : 0);
      repurchase.push_back(entry.repurchase);
      counts.push_back(entry.count);
    }
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
  Histories take() {
    return {.offsets = std::move(offsets),
            .items = std::move(items),
            .confidences = std::move(confidences),
            .targets = std::move(targets),
            .consumed = std::move(consumed),
            .repurchase = std::move(repurchase),
            .counts = std::move(counts)};
  }
};

void merge_seen(const Dataset& seen, const Artifact& artifact, const std::vector<int32_t>& item_rows, SeenCustomers& out) {
  Columns columns;
  out.row_of.assign(static_cast<size_t>(seen.customers.size()), kNone);
  const auto item_of = [&](size_t e) { return item_rows[static_cast<size_t>(seen.events.items[e])]; };
  for_each_history(seen, artifact.rules, item_of, [&](CustomerIndex customer, const std::vector<HistoryEntry>& history) {
    out.row_of[static_cast<size_t>(customer)] = static_cast<int32_t>(columns.offsets.size()) - 1;
    columns.add(history);
  });
  out.histories = columns.take();
}

// The attributes of customers of whom the model stores some, and of others everything missing.
class SeenAttributes {
 public:
  explicit SeenAttributes(const Artifact& artifact) : stored_(artifact.customer_attributes.table.rows()) {
    if (artifact.model.customer_prior.map.empty()) return;
    const AttributeSchema& schema = artifact.customer_attributes.schema;
    missing_dense_.resize(static_cast<size_t>(schema.dense_count()));
    missing_columns_ = schema.missing_columns();
    missing_values_.assign(missing_columns_.size(), 1);
    wanted_ = true;
    batch_ = GrowingAttributes(schema.column_count(), schema.dense_count());
  }

  void clear() { batch_.clear(); }
  void add(int32_t stored_row) {
    if (!wanted_) return;
    if (stored_row == kNone)
      batch_.append(missing_dense_, missing_columns_, missing_values_);
    else
      batch_.append_row(stored_, stored_row);
  }
  AttributeRows rows() const { return wanted_ ? batch_.rows() : AttributeRows{}; }

 private:
  AttributeRows stored_;
  bool wanted_ = false;
  std::vector<float> missing_dense_, missing_values_;
  std::vector<int32_t> missing_columns_;
  GrowingAttributes batch_;
};

absl::Status fold_in(const LoadedModel& model, const Artifact& artifact, const std::vector<int32_t>& stored_rows, SeenCustomers& out) {
  const int32_t dimension = artifact.model.dimension;
  SeenAttributes attributes(artifact);
  auto profiler = model.make_profiler({.max_batch = kFoldInBatch});
  if (!profiler.ok()) return profiler.status();
  const Histories& h = out.histories;
  const auto rows = h.offsets.size() - 1;
  out.profiles.resize(static_cast<size_t>(rows) * static_cast<size_t>(dimension));
  std::vector<int64_t> offsets;
  for (int64_t begin = 0; begin < rows; begin += kFoldInBatch) {
    const int64_t n = std::min<int64_t>(kFoldInBatch, rows - begin);
    const auto first = static_cast<size_t>(h.offsets[begin]), size = static_cast<size_t>(h.offsets[begin + n]) - first;
    offsets.clear();
    for (int64_t r = 0; r <= n; ++r) offsets.push_back(h.offsets[begin + r] - h.offsets[begin]);
    attributes.clear();
    for (int64_t r = begin; r < begin + n; ++r) attributes.add(stored_rows[static_cast<size_t>(r)]);
    const HistoryBatch batch{offsets, h.items.view().subspan(first, size), h.confidences.view().subspan(first, size),
                             h.targets.view().subspan(first, size), attributes.rows()};
    if (absl::Status s = (*profiler)->solve(batch, {.profiles = {out.profiles.data() + begin * dimension, n, dimension}}); !s.ok())
      return s;
  }
  return absl::OkStatus();
}

}  // namespace

RowMaps rows_in(const Dataset& dataset, const IdTable& customers, const IdTable& items) {
  RowMaps out;
  for (int32_t c = 0; c < dataset.customers.size(); ++c) out.customers.push_back(customers.find(dataset.customers.id(c)));
  for (int32_t i = 0; i < dataset.items.size(); ++i) out.items.push_back(items.find(dataset.items.id(i)));
  return out;
}

absl::StatusOr<SeenCustomers> fold_in_seen(const Dataset& seen, const Artifact& artifact, const LoadedModel& model) {
  SeenCustomers out;
  const RowMaps rows = rows_in(seen, artifact.customer_ids, artifact.item_ids);
  merge_seen(seen, artifact, rows.items, out);
  std::vector<int32_t> stored_rows(static_cast<size_t>(out.histories.offsets.size()) - 1, kNone);
  for (size_t c = 0; c < out.row_of.size(); ++c)
    if (out.row_of[c] != kNone) stored_rows[static_cast<size_t>(out.row_of[c])] = rows.customers[c];
  if (absl::Status status = fold_in(model, artifact, stored_rows, out); !status.ok()) return status;
  return out;
}

}  // namespace bouquet::training
