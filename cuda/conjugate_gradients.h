// Conjugate gradients on the device for the systems of the attribute step that are too large to factorize: d right sides with one matrix,
// the diagonal as preconditioner (Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. 2003, algorithm 9.1).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

class ConjugateGradients {
 public:
  ConjugateGradients() = default;
  // `diagonal` [n] of the matrix, on the host. Waits for the stream.
  ConjugateGradients(std::span<const double> diagonal, int32_t d, const Stream& stream);
  static void count_memory(int64_t n, int32_t d, MemoryTable& table);

  // Computes the matrix times v, both [n, d] row-major on the device, on the stream.
  using Times = std::function<void(const double* v, double* product)>;

  // Solves until every column's residual is below kFitTolerance of its right side [n, d], starting from the last solution, or from zero.
  // In `most_iterations` at most; false: then it is not below kLeastFit either. Waits for the stream.
  bool solve(const double* right, const Times& times, int most_iterations, const Stream& stream);
  const double* solution() const { return x_.data(); }  // [n, d], as rounded to float
  // As if `solution` [n, d], on the host, were the last one. Waits for the stream.
  void go_on_from(std::span<const double> solution, const Stream& stream);

 private:
  // Of each column, the sum over the rows of a b, divided by the diagonal where asked for.
  enum class Divided { kNo, kByDiagonal };
  std::vector<double> column_sums(const double* a, const double* b, Divided divided, const Stream& stream);
  void start(const double* right, const Times& times, const Stream& stream);
  void upload_factors(const std::vector<double>& factors, const Stream& stream);

  int64_t n_ = 0;
  int32_t d_ = 0;
  bool has_solution_ = false;
  DeviceArray<double> diagonal_;
  DeviceArray<double> x_, residual_, direction_, product_;  // [n, d]
  DeviceArray<double> sums_;                                // [partitions, d]
  DeviceArray<double> factors_;                             // [d]
  PinnedArray<double> host_sums_, host_factors_;
};

}  // namespace bouquet::cuda
