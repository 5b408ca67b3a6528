// The factors of one side on the device: [rows, row_stride(d)], zero past d.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/stream.h"
#include "cuda/wait_at_exit.h"
#include "engine/views.h"

namespace bouquet::cuda {

class FactorArray {
 public:
  // All zero. Asynchronous.
  FactorArray(int64_t rows, int32_t d, const Stream& stream);
  static int64_t bytes(int64_t rows, int32_t d);

  // Fills rows from `rows_at(first, count, to)`, which writes `count` rows of row_stride(d) floats, zero past d. Waits for the stream.
  template <typename RowsAt>
  void fill(const RowsAt& rows_at, const Stream& stream) {
    std::vector<float> chunk(static_cast<size_t>(chunk_rows() * stride_));
    const WaitAtExit wait(stream);
    for (int64_t first = 0; first < rows_; first += chunk_rows()) {
      const int64_t count = std::min(chunk_rows(), rows_ - first);
      std::fill(chunk.begin(), chunk.end(), 0.0f);
      rows_at(first, count, chunk.data());
      check(cudaMemcpyAsync(values_.data() + first * stride_, chunk.data(), static_cast<size_t>(count * stride_) * sizeof(float),
                            cudaMemcpyHostToDevice, stream.get()));
      stream.synchronize();
    }
  }
  // The rows, from the host. Waits for the stream.
  void assign(MatrixView<const float> rows, const Stream& stream) {
    fill(
        [&](int64_t first, int64_t count, float* to) {
          for (int64_t r = 0; r < count; ++r) std::ranges::copy(rows.row(first + r), to + r * stride_);
        },
        stream);
  }
  // [rows, d], without the padding. Waits for the stream.
  std::vector<float> to_host(const Stream& stream) const;

  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }
  int64_t rows() const { return rows_; }
  int32_t stride() const { return stride_; }

 private:
  int64_t chunk_rows() const;

  int64_t rows_;
  int32_t d_, stride_;
  DeviceArray<float> values_;
};

}  // namespace bouquet::cuda
