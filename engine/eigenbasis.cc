#include "engine/eigenbasis.h"

#include <algorithm>
#include <cmath>

#include "engine/blas_threads.h"

extern "C" {
// LAPACK: eigenvalues and eigenvectors of a symmetric matrix by divide and conquer.
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* lda, double* w, double* work, const int* lwork,
             int* iwork, const int* liwork, int* info);
}

namespace bouquet {

std::optional<Eigenbasis> eigenbasis_of(std::span<const float> matrix, int32_t d) {
  if (!std::ranges::all_of(matrix, [](float x) { return std::isfinite(x); })) return std::nullopt;
  use_one_blas_thread();
  const auto n = static_cast<size_t>(d);
  Eigenbasis basis{std::vector<double>(n), std::vector<double>(matrix.begin(), matrix.end())};
  const int work_size = 1 + 6 * d + 2 * d * d;
  const int index_size = 3 + 5 * d;
  std::vector<double> work(static_cast<size_t>(work_size));
  std::vector<int> indices(static_cast<size_t>(index_size));
  int info = 0;
  // LAPACK counts by columns: its k-th column is our k-th row, and a symmetric matrix is its own transpose.
  dsyevd_("V", "L", &d, basis.vectors.data(), &d, basis.values.data(), work.data(), &work_size, indices.data(), &index_size, &info);
  if (info != 0) return std::nullopt;
  return basis;
}

}  // namespace bouquet
