#include "cuda/solve_source.h"

#include <algorithm>

#include "cuda/launch.h"
#include "cuda/solve_rules.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kRotatedRows = int64_t{1} << 20;  // of one product, so that no size of cuBLAS passes 2^31

bool uses_basis(int32_t d) { return longest_dual_row(d) > 0; }

LaunchShape one_each(int64_t count) { return {dim3(block_count(count, kThreads)), dim3(kThreads)}; }

__global__ void round_kernel(const double* from, int64_t count, float* to) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e < count) to[e] = static_cast<float>(from[e]);
}

// One thread: one element of the shared matrix [size, size].
__global__ void share_kernel(const float* gram, int d, int size, double weight, float* matrix) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= int64_t{size} * size) return;
  const int64_t i = e / size, j = e % size;
  matrix[e] = i < d && j < d ? static_cast<float>(weight * static_cast<double>(gram[i * d + j])) : 0;
}

// One thread: one element of the matrix in double; flags[0] becomes 1 where one is not finite.
__global__ void widen_kernel(const float* gram, int64_t count, double* matrix, int32_t* flags) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  matrix[e] = static_cast<double>(gram[e]);
  if (!isfinite(gram[e])) flags[0] = 1;
}

// One thread: one element of the basis [d, stride]; and, of the first d, the diagonal. cuSOLVER counts by columns: its k-th column is our
// k-th row.
__global__ void take_basis_kernel(const double* vectors, const double* values, int d, int stride, double weight, float* basis,
                                  float* diagonal) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= int64_t{d} * stride) return;
  const int64_t k = e / stride, j = e % stride;
  basis[e] = j < d ? static_cast<float>(vectors[k * d + j]) : 0;
  if (k == 0) diagonal[j] = j < d ? static_cast<float>(weight * fmax(values[j], 0.0)) : 0;
}

}  // namespace

EigenScratch::EigenScratch(int32_t d, const SolverHandle& solver, const Stream& stream) {
  if (!uses_basis(d)) return;
  matrix_ = DeviceArray<double>(int64_t{d} * d, stream);
  values_ = DeviceArray<double>(d, stream);
  int work = 0;
  check(cusolverDnDsyevd_bufferSize(solver.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, d, matrix_.data(), d, values_.data(),
                                    &work));
  work_ = DeviceArray<double>(work, stream);
  flags_ = DeviceArray<int32_t>(2, stream);
  host_flags_ = PinnedArray<int32_t>(2);
}

void EigenScratch::count_memory(int32_t d, MemoryTable& table) {
  if (uses_basis(d)) table.add("eigenbasis", (int64_t{d} * d + d + most_work(d)) * int64_t{sizeof(double)});
}

SolveSource::SolveSource(const float* vectors, int64_t rows, int32_t d, double unobserved_weight, const Stream& stream)
    : vectors_(vectors),
      rows_(rows),
      d_(d),
      unobserved_weight_(unobserved_weight),
      shared_matrix_(int64_t{system_size(d)} * system_size(d), stream) {
  if (!uses_basis(d)) return;
  rotated_ = DeviceArray<float>(rows * row_stride(d), stream);
  rotated_.fill_bytes(0);
  diagonal_ = DeviceArray<float>(row_stride(d), stream);
  basis_ = DeviceArray<float>(int64_t{d} * row_stride(d), stream);
}

void SolveSource::count_memory(int64_t rows, int32_t d, MemoryTable& table) {
  table.add("shared matrices", int64_t{system_size(d)} * system_size(d) * int64_t{sizeof(float)});
  if (!uses_basis(d)) return;
  table.add("factors in the eigenbasis", rows * row_stride(d) * int64_t{sizeof(float)});
  table.add("eigenbasis", (int64_t{d} + 1) * row_stride(d) * int64_t{sizeof(float)});
}

void SolveSource::refresh(const float* gram, EigenScratch& scratch, const BlasHandle& blas, const SolverHandle& solver,
                          const Stream& stream) {
  const int32_t size = system_size(d_);
  launch<share_kernel>(stream, one_each(int64_t{size} * size), gram, d_, size, unobserved_weight_, shared_matrix_.data());
  if (uses_basis(d_)) refresh_basis(gram, scratch, blas, solver, stream);
}

void SolveSource::refresh_basis(const float* gram, EigenScratch& scratch, const BlasHandle& blas, const SolverHandle& solver,
                                const Stream& stream) {
  const int64_t elements = int64_t{d_} * d_;
  const auto flags = scratch.host_flags_.span();
  scratch.flags_.fill_bytes(0);
  launch<widen_kernel>(stream, one_each(elements), gram, elements, scratch.matrix_.data(), scratch.flags_.data());
  scratch.flags_.download(flags);
  stream.synchronize();
  has_basis_ = flags[0] == 0;  // what is not finite is nothing for cuSOLVER
  if (!has_basis_) return;
  check(cusolverDnDsyevd(solver.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, d_, scratch.matrix_.data(), d_,
                         scratch.values_.data(), scratch.work_.data(), static_cast<int>(scratch.work_.size()), scratch.flags_.data() + 1));
  scratch.flags_.download(flags);
  stream.synchronize();
  has_basis_ = flags[1] == 0;
  if (!has_basis_) return;
  const int32_t stride = row_stride(d_);
  launch<take_basis_kernel>(stream, one_each(int64_t{d_} * stride), scratch.matrix_.data(), scratch.values_.data(), d_, stride,
                            unobserved_weight_, basis_.data(), diagonal_.data());
  rotate(vectors_, rows_, rotated_.data(), blas);
}

void SolveSource::rotate(const float* rows, int64_t count, float* rotated, const BlasHandle& blas) const {
  const int32_t stride = row_stride(d_);
  const float one = 1, zero = 0;
  for (int64_t first = 0; first < count; first += kRotatedRows) {
    const auto some = static_cast<int>(std::min(kRotatedRows, count - first));
    // By columns: rotatedᵀ [d, n] = basis [d, d] rowsᵀ [d, n].
    check(cublasSgemm(blas.get(), CUBLAS_OP_T, CUBLAS_OP_N, d_, some, d_, &one, basis_.data(), stride, rows + first * stride, stride, &zero,
                      rotated + first * stride, stride));
  }
}

DeviceSource SolveSource::view() const { return {d_, row_stride(d_), vectors_, shared_matrix_.data(), rotated_.data(), diagonal_.data()}; }

void round_gram(const double* from, int32_t d, float* gram, const Stream& stream) {
  launch<round_kernel>(stream, one_each(int64_t{d} * d), from, int64_t{d} * d, gram);
}

}  // namespace bouquet::cuda
