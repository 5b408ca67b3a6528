// Solves rows of a half-step exactly: W p = sum of c r y + ridge m with the prior mean m, W = alpha0 YᵀY + sum of c y yᵀ + ridge I
// (docs/algorithms/ials.md). Training and fold-in both come here, and a row's bits depend on its own pairs and the source alone, so a
// stored profile is the fold-in of its history bit for bit.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "cpu_fallback/panel_kernels.h"
#include "cpu_fallback/prior_means.h"
#include "cpu_fallback/solve_source.h"

namespace bouquet::cpu {

// Owns one worker's scratch memory. Not thread-safe.
class RowSolver {
 public:
  explicit RowSolver(const SolveSource& source);

  // Writes the solution to solution[0, d), now or at finish(). False: W is not positive definite, and nothing is written.
  bool solve(const GatherPairs& pairs, double ridge, const RowPrior& prior, float* solution);
  // Writes what is still pending. Must follow the last solve().
  void finish();
  // The lower triangular L of W = L Lᵀ, [d, d] row-major, zero above the diagonal. False: W is not positive definite.
  bool cholesky(const GatherPairs& pairs, double ridge, float* factor);

 private:
  // Rows of space in a packed panel: one more than are used, so that the panels of a row do not fall on one set of the cache.
  int64_t capacity() const { return packed_rows_ + 1; }
  bool factorize_directly(const GatherPairs& pairs, double ridge);
  bool solve_dual(const GatherPairs& pairs, double ridge, const RowPrior& prior, float* solution);

  const SolveSource& source_;
  const int64_t packed_rows_;  // pairs gathered at a time
  FloatBuffer packed_;         // [stride / 16][capacity()][16]
  FloatBuffer upper_;          // W, or the dual's matrix, then its U
  FloatBuffer inverses_;
  FloatBuffer right_;

  FloatBuffer scale_;        // of a dual row: 1 / sqrt of the shared matrix's diagonal
  FloatBuffer dual_rows_;    // its gathered rows ...
  FloatBuffer dual_panels_;  // ... and the same as panels
  FloatBuffer pending_;      // solutions in the eigenbasis, a panel [stride][16]; rotated back together, because that reads d² floats
  std::array<float*, kPanel> pending_solutions_{};
  int pending_count_ = 0;
};

}  // namespace bouquet::cpu
