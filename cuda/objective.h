// The objective L of docs/algorithms/ials.md and attributes.md on the device, in double. The term over all pairs is the product of the two
// Gram matrices. Every sum is in a fixed order.
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/row_systems.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// What a side's rows are drawn to, and what penalises that.
struct ObjectivePrior {
  const float* means = nullptr;  // [count, row_stride(d)], or null: the prior mean is zero
  const float* map = nullptr;    // [map_rows, row_stride(d)], without the intercept
  int64_t map_rows = 0;
  const double* map_ridges = nullptr;  // [map_rows]
};

// One side of the training: its rows and their factors [count, row_stride(d)].
struct ObjectiveSide {
  DevicePairs pairs;
  int64_t count = 0;
  const float* factors = nullptr;
  const double* gram = nullptr;  // [d, d]
  ObjectivePrior prior = {};
};

class Objective {
 public:
  explicit Objective(const Stream& stream);
  static void count_memory(MemoryTable& table);

  // Waits for the stream. `pair_count`: of customers.pairs.
  double evaluate(const ObjectiveSide& customers, const ObjectiveSide& items, int64_t pair_count, int32_t d, double unobserved_weight,
                  const Stream& stream);

 private:
  DeviceArray<double> sums_;
  PinnedArray<double> host_sums_;
};

}  // namespace bouquet::cuda
