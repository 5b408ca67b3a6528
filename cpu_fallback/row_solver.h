// Solves rows of a half-step exactly: W p = sum of c r y, W = alpha0 YᵀY + sum of c y yᵀ + ridge I (docs/algorithms/ials.md). Training
// and fold-in both come here, and a row's bits depend on its own pairs and the source alone, so a stored profile is the fold-in of
// its history bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/solve_source.h"

namespace bouquet::cpu {

struct RowPairs {
  std::span<const int32_t> columns;
  std::span<const float> confidences;
  std::span<const float> targets;  // or empty: every target is 1
};

// Owns one worker's scratch memory. Not thread-safe.
class RowSolver {
 public:
  explicit RowSolver(const SolveSource& source);

  // Writes the solution to solution[0 .. d). It may stay unwritten until finish(). False: W is not positive definite.
  bool solve(const RowPairs& pairs, double ridge, float* solution);
  // Writes what is still pending.
  void finish();
  // The lower triangular L of W = L Lᵀ, [d, d] row-major, zero above the diagonal. False: W is not positive definite.
  bool cholesky(const RowPairs& pairs, double ridge, float* factor);

 private:
  bool factorize(const RowPairs& pairs, double ridge);

  const SolveSource& source_;
  std::vector<float> matrix_;
  std::vector<float> right_;
};

}  // namespace bouquet::cpu
