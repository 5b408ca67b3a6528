// The attributes of a batch of histories on their way to the device. All memory is made at once; none where the solved side has no prior.
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/prior_means.h"
#include "engine/attribute_rows.h"
#include "engine/fold_in_checks.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

class AttributeStaging {
 public:
  // For the attributes that `shape` has. Holds up to limits.max_batch rows of up to max_entries(...) sparse entries together: at least any
  // single row.
  AttributeStaging(const ProfilerShape& shape, const Stream& stream);
  static void count_memory(const ProfilerShape& shape, MemoryTable& table);

  // How many of the `count` rows from `first` on fit together: at least one, if there is one.
  int32_t fitting(const AttributeRows& rows, int32_t first, int32_t count) const;
  // Copies them, asynchronously: what the last call copied must have arrived. Row r is row first + r.
  void upload(const AttributeRows& rows, int32_t first, int32_t count);

  // Of what was uploaded last.
  DeviceAttributes view() const;

 private:
  int32_t column_count_, dense_count_;
  DeviceArray<float> dense_, values_;
  DeviceArray<int64_t> offsets_;
  DeviceArray<int32_t> columns_;
  PinnedArray<float> host_dense_, host_values_;
  PinnedArray<int64_t> host_offsets_;
  PinnedArray<int32_t> host_columns_;
};

}  // namespace bouquet::cuda
