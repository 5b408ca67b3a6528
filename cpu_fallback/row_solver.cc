#include "cpu_fallback/row_solver.h"

#include <algorithm>
#include <cmath>

namespace bouquet::cpu {

RowSolver::RowSolver(const SolveSource& source)
    : source_(source),
      matrix_(static_cast<size_t>(source.dimension()) * static_cast<size_t>(source.dimension())),
      right_(static_cast<size_t>(source.dimension())) {}

bool RowSolver::factorize(const RowPairs& pairs, double ridge) {
  const auto d = static_cast<size_t>(source_.dimension());
  std::ranges::copy(source_.shared_matrix(), matrix_.begin());
  std::ranges::fill(right_, 0.0f);
  for (size_t i = 0; i < d; ++i) matrix_[i * d + i] += static_cast<float>(ridge);
  for (size_t k = 0; k < pairs.columns.size(); ++k) {
    const float* y = source_.vectors().row(pairs.columns[k]);
    const float c = pairs.confidences[k];
    const float r = pairs.targets.empty() ? 1.0f : pairs.targets[k];
    for (size_t i = 0; i < d; ++i) {
      right_[i] += c * r * y[i];
      for (size_t j = 0; j <= i; ++j) matrix_[i * d + j] += c * y[i] * y[j];
    }
  }
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      float sum = matrix_[i * d + j];
      for (size_t k = 0; k < j; ++k) sum -= matrix_[i * d + k] * matrix_[j * d + k];
      if (i == j && !(sum > 0)) return false;
      matrix_[i * d + j] = i == j ? std::sqrt(sum) : sum / matrix_[j * d + j];
    }
  }
  return true;
}

bool RowSolver::solve(const RowPairs& pairs, double ridge, float* solution) {
  const auto d = static_cast<size_t>(source_.dimension());
  if (pairs.columns.empty()) {
    std::fill_n(solution, d, 0.0f);
    return true;
  }
  if (!factorize(pairs, ridge)) return false;
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j < i; ++j) right_[i] -= matrix_[i * d + j] * right_[j];
    right_[i] /= matrix_[i * d + i];
  }
  for (size_t i = d; i-- > 0;) {
    for (size_t j = i + 1; j < d; ++j) right_[i] -= matrix_[j * d + i] * right_[j];
    right_[i] /= matrix_[i * d + i];
  }
  std::ranges::copy(right_, solution);
  return true;
}

void RowSolver::finish() {}

bool RowSolver::cholesky(const RowPairs& pairs, double ridge, float* factor) {
  const auto d = static_cast<size_t>(source_.dimension());
  if (!factorize(pairs, ridge)) return false;
  std::fill_n(factor, d * d, 0.0f);
  for (size_t i = 0; i < d; ++i) std::copy_n(&matrix_[i * d], i + 1, factor + i * d);
  return true;
}

}  // namespace bouquet::cpu
