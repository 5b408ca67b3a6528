#include "cuda/factor_array.h"

#include <algorithm>

#include "cuda/solve_rules.h"
#include "cuda/wait_at_exit.h"

namespace bouquet::cuda {
namespace {

constexpr int64_t kChunkFloats = int64_t{1} << 22;  // 16 MB on the host at a time

}  // namespace

FactorArray::FactorArray(int64_t rows, int32_t d, const Stream& stream)
    : rows_(rows), d_(d), stride_(row_stride(d)), values_(rows * stride_, stream) {
  values_.fill_bytes(0);
}

int64_t FactorArray::bytes(int64_t rows, int32_t d) { return rows * row_stride(d) * int64_t{sizeof(float)}; }

int64_t FactorArray::chunk_rows() const { return std::clamp<int64_t>(kChunkFloats / stride_, 1, std::max<int64_t>(rows_, 1)); }

std::vector<float> FactorArray::to_host(const Stream& stream) const {
  std::vector<float> values(static_cast<size_t>(rows_ * d_));
  std::vector<float> chunk(static_cast<size_t>(chunk_rows() * stride_));
  const WaitAtExit wait(stream);
  for (int64_t first = 0; first < rows_; first += chunk_rows()) {
    const int64_t count = std::min(chunk_rows(), rows_ - first);
    check(cudaMemcpyAsync(chunk.data(), values_.data() + first * stride_, static_cast<size_t>(count * stride_) * sizeof(float),
                          cudaMemcpyDeviceToHost, stream.get()));
    stream.synchronize();
    for (int64_t r = 0; r < count; ++r) std::copy_n(chunk.begin() + r * stride_, d_, values.begin() + (first + r) * d_);
  }
  return values;
}

}  // namespace bouquet::cuda
