#include "cpu_fallback/row_solver.h"

#include <algorithm>
#include <cmath>

#include "cpu_fallback/attribute_kernels.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kPackedFloats = 16384;  // 64 KB of gathered rows at a time stay in the second-level cache

GatherPairs part_of(const GatherPairs& pairs, size_t first, size_t count) {
  return {pairs.columns.subspan(first, count), pairs.confidences.subspan(first, count),
          pairs.targets.empty() ? pairs.targets : pairs.targets.subspan(first, count)};
}

}  // namespace

RowSolver::RowSolver(const SolveSource& source)
    : source_(source),
      packed_rows_(std::clamp<int64_t>(kPackedFloats / source.stride(), 32, 128)),
      packed_(make_floats(capacity() * source.stride())) {
  const int64_t n = source.stride();
  const int64_t dual = padded(static_cast<int32_t>(SolveSource::longest_dual_row(source.dimension())));
  upper_ = make_floats(n * n);
  inverses_ = make_floats(2 * n * kPanel);
  right_ = make_floats(n);
  if (dual == 0) return;
  scale_ = make_floats(n);
  dual_rows_ = make_floats((dual + 1) * n);  // one more for the prior
  dual_panels_ = make_floats(dual * n);
  pending_ = make_floats(n * kPanel);
}

bool RowSolver::solve(const GatherPairs& pairs, double ridge, const RowPrior& prior, float* solution) {
  const auto length = static_cast<int64_t>(pairs.columns.size());
  if (length == 0 && prior.mean == nullptr) {
    std::fill_n(solution, source_.dimension(), 0.0f);
    return true;
  }
  if (source_.dual_limit() > 0 && length <= source_.dual_limit()) return solve_dual(pairs, ridge, prior, solution);
  if (!factorize_directly(pairs, ridge)) return false;
  if (prior.mean != nullptr)
    for (int64_t j = 0; j < source_.dimension(); ++j) right_[static_cast<size_t>(j)] += static_cast<float>(ridge) * prior.mean[j];
  solve_factorized(source_.stride(), upper_.get(), inverses_.get(), right_.get());
  std::copy_n(right_.get(), source_.dimension(), solution);
  return true;
}

bool RowSolver::factorize_directly(const GatherPairs& pairs, double ridge) {
  const int64_t n = source_.stride();
  for (int64_t p = 0; p < n / kPanel; ++p) {
    const int64_t rows = (p + 1) * kPanel;
    std::copy_n(source_.shared_matrix() + p * n * kPanel, rows * kPanel, upper_.get() + p * n * kPanel);
    float* diagonal = upper_.get() + p * n * kPanel + p * kBlockFloats;
    for (int64_t i = 0; i < kPanel; ++i) diagonal[i * kPanel + i] += static_cast<float>(ridge);
  }
  std::fill_n(right_.get(), n, 0.0f);
  for (size_t k = 0; k < pairs.columns.size(); k += static_cast<size_t>(packed_rows_)) {
    const size_t count = std::min(static_cast<size_t>(packed_rows_), pairs.columns.size() - k);
    gather_weighted(source_.vectors(), part_of(pairs, k, count), capacity(), packed_.get(), right_.get());
    add_gram(static_cast<int64_t>(count), capacity(), packed_.get(), static_cast<int32_t>(n), upper_.get());
  }
  return factorize(static_cast<int32_t>(n), upper_.get(), inverses_.get());
}

// With B = alpha0 YᵀY + ridge I, diagonal in the eigenbasis, and Z the gathered rows times sqrt(c) from the left and B^(-1/2) from the
// right: (I + Z Zᵀ) t = sqrt(c) r - Z w and p = B^(-1/2) (Zᵀ t + w), where w = B^(-1/2) ridge m comes of the prior mean m.
bool RowSolver::solve_dual(const GatherPairs& pairs, double ridge, const RowPrior& prior, float* solution) {
  const int64_t n = source_.stride();
  const auto length = pairs.columns.size();
  const int32_t size = padded(static_cast<int32_t>(length));
  inverse_roots(source_.shared_diagonal(), static_cast<float>(ridge), scale_.get());
  for (size_t k = 0; k < static_cast<size_t>(size); k += kPanel) {
    const GatherPairs part = part_of(pairs, k, std::min<size_t>(kPanel, length - k));
    const auto at = static_cast<int64_t>(k) * n;
    gather_scaled(source_.rotated(), part, scale_.get(), dual_rows_.get() + at, dual_panels_.get() + at);
  }
  dual_matrix(n, dual_panels_.get(), size, upper_.get());
  if (!factorize(size, upper_.get(), inverses_.get())) return false;
  for (size_t k = 0; k < length; ++k) right_[k] = std::sqrt(pairs.confidences[k]) * (pairs.targets.empty() ? 1.0f : pairs.targets[k]);
  std::fill(right_.get() + length, right_.get() + size, 0.0f);
  float* of_prior = dual_rows_.get() + static_cast<int64_t>(length) * n;  // w, as if it were one more pair's row
  if (prior.mean != nullptr) {
    for (int64_t j = 0; j < n; ++j) of_prior[j] = static_cast<float>(ridge) * prior.rotated[j] * scale_[static_cast<size_t>(j)];
    subtract_products(dual_rows_.get(), n, static_cast<int64_t>(length), of_prior, right_.get());
  }
  solve_factorized(size, upper_.get(), inverses_.get(), right_.get());
  right_[length] = 1;
  combine_rows(dual_rows_.get(), n, {right_.get(), length + (prior.mean != nullptr ? 1 : 0)}, scale_.get(),
               pending_.get() + pending_count_);
  pending_solutions_[static_cast<size_t>(pending_count_)] = solution;
  if (++pending_count_ == kPanel) finish();
  return true;
}

void RowSolver::finish() {
  if (pending_count_ == 0) return;
  const int64_t n = source_.stride();
  alignas(64) float block[kBlockFloats];
  for (int64_t j = 0; j < source_.dimension(); j += kPanel) {
    multiply_panels(n, pending_.get(), source_.rotation_back() + j * n, block);
    const int64_t columns = std::min<int64_t>(kPanel, source_.dimension() - j);
    for (int i = 0; i < pending_count_; ++i) std::copy_n(block + i * kPanel, columns, pending_solutions_[static_cast<size_t>(i)] + j);
  }
  pending_count_ = 0;
}

bool RowSolver::cholesky(const GatherPairs& pairs, double ridge, float* factor) {
  if (!factorize_directly(pairs, ridge)) return false;
  const int64_t d = source_.dimension();
  const int64_t n = source_.stride();
  for (int64_t i = 0; i < d; ++i)
    for (int64_t j = 0; j < d; ++j)
      factor[i * d + j] = j > i ? 0.0f : upper_[static_cast<size_t>(i / kPanel * n * kPanel + j * kPanel + i % kPanel)];
  return true;
}

}  // namespace bouquet::cpu
