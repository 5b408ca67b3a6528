// Gathers events in file order, gives ids their dense indices, and sorts: the part of reading that sees all rows.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "engine/id_map.h"
#include "training/dataset.h"
#include "training/event_rows.h"
#include "training/mapped_column.h"

namespace bouquet::training {

class EventLogBuilder {
 public:
  EventLogBuilder(bool distinct, int threads) : distinct_(distinct), threads_(threads) {}

  // Adds a block's events; blocks come in file order. Errors: ResourceExhausted (more than 2^32 - 2 events).
  absl::Status add(const EventBatch& batch, const EventRules& rules, ReadReport& report);
  // Moves everything into `dataset`, sorted as EventLog says. Fills events, ids, baskets and the report's suspected robots.
  void finish(Dataset& dataset);
  int64_t size() const { return static_cast<int64_t>(customers_.size()); }

 private:
  void resolve(const TextIds& texts, IdMap& ids, std::vector<int32_t>& out);
  bool is_repeated(const EventBatch& batch, size_t row);
  // Positions of events, in the order that EventLog promises. Leaves the times in that order in `times`.
  std::vector<uint32_t> sort_events(std::vector<int64_t>& times);
  void sort_group(std::span<uint32_t> order, std::span<int64_t> times) const;
  bool earlier_id(uint32_t a, uint32_t b) const;
  void fill_customers(std::vector<CustomerIndex>& customers) const;
  int32_t number_baskets(const std::vector<uint32_t>& order, std::vector<int32_t>& numbers) const;
  template <typename Work>
  void for_each_group(const Work& work) const;

  bool distinct_;
  int threads_;
  IdMap customer_ids_, item_ids_;
  MappedColumn<int32_t> customers_, items_;
  MappedColumn<int64_t> times_;
  MappedColumn<float> values_;
  MappedColumn<uint8_t> types_;
  MappedColumn<uint64_t> baskets_;
  MappedColumn<uint64_t> event_ids_;  // places in event_id_texts_; empty: no file had any
  MappedTexts event_id_texts_;
  absl::flat_hash_set<std::pair<uint64_t, uint64_t>> seen_;
  std::vector<int32_t> customer_scratch_, item_scratch_;
  std::vector<int64_t> starts_;  // of each group's events after sorting: group 0 has no customer, group c + 1 is customer c
};

}  // namespace bouquet::training
