// The items of a loaded model as fold-in reads them: made when the first profiler is asked for, shared by all.
#pragma once

#include "cuda/device_model.h"
#include "cuda/factor_array.h"
#include "cuda/solve_source.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// Immutable once it is made.
class FoldInSource {
 public:
  // `tables` outlives the source. Waits until all is there. Throws CudaError.
  explicit FoldInSource(const DeviceModel& tables);
  static void count_memory(int64_t item_count, int32_t d, MemoryTable& table);
  // What the constructor needs beside it, and gives back.
  static void count_scratch(int32_t d, int capability, MemoryTable& table);

  const SolveSource& source() const { return source_; }

 private:
  const Stream stream_;  // what the arrays are freed on
  FactorArray padded_;   // the items, where the model's rows do not start at multiples of 16 bytes
  SolveSource source_;
};

}  // namespace bouquet::cuda
