// YᵀY of a factor table on the device, in double: the shared matrix of a half-step, and a term of the objective. The sum is over fixed
// partitions of the rows, by cuBLAS, added in order: the same bits from run to run.
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/libraries.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// Scratch memory for Gram matrices of dimension d; one for both sides of a training.
class GramSums {
 public:
  static constexpr int64_t kChunkDoubles = int64_t{1} << 22;  // 32 MB

  // `chunk_doubles`: of the table that is widened to double at a time.
  GramSums(int32_t d, const Stream& stream, int64_t chunk_doubles = kChunkDoubles);
  static void count_memory(int32_t d, MemoryTable& table);

  // gram [d, d] row-major and symmetric := YᵀY for `table` [rows, row_stride(d)]. Asynchronous.
  void sum(const float* table, int64_t rows, double* gram, const BlasHandle& blas, const Stream& stream);

 private:
  int32_t d_;
  int32_t parts_;              // partitions of a chunk
  int64_t part_rows_;          // rows of a partition of a chunk
  DeviceArray<double> chunk_;  // [parts_, part_rows_, d]
  DeviceArray<double> sums_;   // [parts_, d, d]
};

}  // namespace bouquet::cuda
