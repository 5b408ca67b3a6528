// The fixed side of a half-step on the device, prepared once for all the rows that are solved against it: alpha0 YᵀY, its eigenbasis and
// the vectors in that basis (docs/algorithms/ials.md, the dual).
#pragma once

#include <cstdint>

#include "cuda/device_array.h"
#include "cuda/libraries.h"
#include "cuda/row_systems.h"
#include "cuda/stream.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// What refreshing needs beside the source itself; one for both sides of a training. Not thread-safe.
class EigenScratch {
 public:
  EigenScratch(int32_t d, const SolverHandle& solver, const Stream& stream);
  // cuSOLVER says how large its workspace must be, and only on a device: what is counted is most_work(d).
  static void count_memory(int32_t d, MemoryTable& table);

  // Doubles that Dsyevd is taken to ask for at most: the second-degree term is LAPACK's, the rest is room for blocks of 256.
  static int64_t most_work(int32_t d) { return 2 * int64_t{d} * d + 256 * int64_t{d} + 32768; }
  int64_t work() const { return work_.size(); }

 private:
  friend class SolveSource;
  DeviceArray<double> matrix_;  // [d, d], then the eigenvectors
  DeviceArray<double> values_;  // [d]
  DeviceArray<double> work_;
  DeviceArray<int32_t> flags_;  // whether a number is not finite; LAPACK's info
  PinnedArray<int32_t> host_flags_;
};

class SolveSource {
 public:
  // `vectors` [rows, row_stride(d)], zero past d, outlives the source. refresh() must follow before the first use and after every change
  // of the vectors.
  SolveSource(const float* vectors, int64_t rows, int32_t d, double unobserved_weight, const Stream& stream);
  static void count_memory(int64_t rows, int32_t d, MemoryTable& table);

  // `gram` [d, d] float, on the device: YᵀY. Waits for the stream.
  void refresh(const float* gram, EigenScratch& scratch, const BlasHandle& blas, const SolverHandle& solver, const Stream& stream);

  // rotated [count, row_stride(d)] := rows [count, row_stride(d)] in the eigenbasis; past d nothing is written. Only where there is a
  // basis. Asynchronous.
  void rotate(const float* rows, int64_t count, float* rotated, const BlasHandle& blas) const;

  DeviceSource view() const;
  int32_t dimension() const { return d_; }
  // Without one (YᵀY is not finite, or LAPACK does not converge) every row is solved directly.
  bool has_basis() const { return has_basis_; }
  const float* basis() const { return basis_.data(); }  // [d, row_stride(d)]: row k is the k-th eigenvector

 private:
  void refresh_basis(const float* gram, EigenScratch& scratch, const BlasHandle& blas, const SolverHandle& solver, const Stream& stream);

  const float* vectors_;
  int64_t rows_;
  int32_t d_;
  double unobserved_weight_;
  bool has_basis_ = false;
  DeviceArray<float> shared_matrix_;
  DeviceArray<float> rotated_;
  DeviceArray<float> diagonal_;
  DeviceArray<float> basis_;
};

// gram := (float) of a Gram matrix in double [d, d].
void round_gram(const double* from, int32_t d, float* gram, const Stream& stream);

}  // namespace bouquet::cuda
