// What fold-in solves one side's rows against: made when the first profiler of that side is asked for, shared by all.
#pragma once

#include <memory>
#include <optional>

#include "cuda/device_model.h"
#include "cuda/factor_array.h"
#include "cuda/prior_means.h"
#include "cuda/solve_source.h"
#include "cuda/stream.h"
#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// The sizes that it depends on.
struct FoldInShape {
  Side solved = Side::kCustomers;
  int64_t fixed_count = 0;    // rows of the other side
  int32_t dimension = 0;      // d
  int32_t prior_columns = 0;  // F of the solved side's prior; 0: it has none
};
FoldInShape fold_in_shape(const DeviceModel& tables, Side solved);

// Immutable once it is made.
class FoldInSource {
 public:
  // Keeps what it needs of `tables`. Waits until all is there. Throws CudaError.
  FoldInSource(const DeviceModel& tables, Side solved);
  ~FoldInSource() { stream_.device().use_to_release(); }
  static void count_memory(const FoldInShape& shape, MemoryTable& table);
  // What the constructor needs beside it, and gives back.
  static void count_scratch(const FoldInShape& shape, int capability, MemoryTable& table);

  const SolveSource& source() const { return source_; }
  const PriorMap* prior() const { return prior_ ? &*prior_ : nullptr; }  // null: the prior mean is zero

 private:
  void refresh(const DeviceModel& tables, Side solved);

  const std::shared_ptr<const DeviceRows> fixed_;
  const Stream stream_;  // what the arrays are freed on
  FactorArray padded_;   // the fixed side, where the model's rows do not start at multiples of 16 bytes
  SolveSource source_;
  std::optional<PriorMap> prior_;
};

}  // namespace bouquet::cuda
