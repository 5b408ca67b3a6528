// A batch of histories on its way to the device, as the rows of a half-step. All memory is made at once, none in use.
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/half_step.h"
#include "engine/backend.h"
#include "engine/memory_table.h"
#include "engine/ridge_rule.h"

namespace bouquet::cuda {

class HistoryStaging {
 public:
  // Holds up to `max_rows` histories of up to max_pairs(...) pairs together: at least any single one.
  HistoryStaging(int64_t item_count, int32_t max_rows, const Stream& stream);  // waits for the stream
  static void count_memory(int64_t item_count, int32_t max_rows, MemoryTable& table);

  // How many histories from `first` on fit together: at least one, if there is one.
  int32_t fitting(const HistoryBatch& histories, int32_t first) const;
  // Copies them, asynchronously: what the last call copied must have arrived. Row r is history first + r.
  void upload(const HistoryBatch& histories, int32_t first, int32_t count, const RidgeRule& rule, int32_t d);

  // Of what was uploaded last.
  DevicePairs pairs() const;
  PlannedRows planned() const { return {plan_, rows_.data(), nullptr, nullptr}; }
  RowList in_order(int32_t first, int32_t count) const { return {order_.data() + first, count}; }

 private:
  HalfStepPlan plan_;
  bool has_targets_ = false;
  DeviceArray<int64_t> offsets_;
  DeviceArray<int32_t> columns_, rows_, order_;  // order_: 0, 1, 2, ...
  DeviceArray<float> confidences_, targets_;
  DeviceArray<double> ridges_;
  PinnedArray<int64_t> host_offsets_;
  PinnedArray<int32_t> host_columns_, host_rows_;
  PinnedArray<float> host_confidences_, host_targets_;
  PinnedArray<double> host_ridges_;
};

}  // namespace bouquet::cuda
