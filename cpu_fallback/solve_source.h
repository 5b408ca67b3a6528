// The fixed side of a half-step, prepared once for all the rows that are solved against it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/thread_pool.h"

namespace bouquet::cpu {

// YᵀY, [d, d] row-major and symmetric: float sums over fixed partitions of the rows, added in order in double, so that the bits are
// the same at any number of threads. Of the first `rows` rows alone, if it is given.
std::vector<float> gram_of(const FactorTable& vectors, ThreadPool& pool);
std::vector<float> gram_of(const FactorTable& vectors, int64_t rows, ThreadPool& pool);

class SolveSource {
 public:
  // `vectors` outlives the source. refresh() must follow before the first use and after every change of the vectors.
  SolveSource(const FactorTable& vectors, double unobserved_weight);

  // `gram` is gram_of(vectors), or what a model kept of it.
  void refresh(std::span<const float> gram, ThreadPool& pool);

  const FactorTable& vectors() const { return vectors_; }
  int32_t dimension() const { return vectors_.dimension(); }
  int32_t stride() const { return vectors_.stride(); }
  const float* shared_matrix() const { return shared_matrix_.get(); }  // alpha0 YᵀY, a panel matrix (panel_kernels.h)

  // Rows of at most this many pairs are solved by their dual, in the eigenbasis of YᵀY (docs/algorithms/ials.md); 0: none.
  int64_t dual_limit() const { return has_basis_ ? longest_dual_row(dimension()) : 0; }
  static int64_t longest_dual_row(int32_t dimension);

  const FactorTable& rotated() const { return rotated_; }               // the vectors in the eigenbasis
  std::span<const float> shared_diagonal() const { return diagonal_; }  // alpha0 times the eigenvalues, [stride]
  // Rows [first, first + count) of `rows`, count <= 16, into the eigenbasis: rows [to, to + count) of `rotated`. `panel` [stride][16] is
  // scratch. Nothing is done where there is no basis.
  void rotate(const FactorTable& rows, int64_t first, int64_t count, FactorTable& rotated, int64_t to, float* panel) const;
  const float* rotation_back() const { return back_.get(); }  // panels [stride / 16][stride][16] of (eigenbasis -> original)

 private:
  void refresh_basis(std::span<const float> gram, ThreadPool& pool);

  const FactorTable& vectors_;
  double unobserved_weight_;
  FloatBuffer shared_matrix_;
  bool has_basis_ = false;
  FactorTable rotated_;
  std::vector<float> diagonal_;
  FloatBuffer forth_;
  FloatBuffer back_;
};

}  // namespace bouquet::cpu
