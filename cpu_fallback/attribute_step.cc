#include "cpu_fallback/attribute_step.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cpu_fallback/attribute_gram.h"
#include "engine/blas_threads.h"

extern "C" void dpotrf_(const char* triangle, const int* n, double* a, const int* lda, int* info);

namespace bouquet::cpu {
namespace {

constexpr int64_t kRightColumns = 64;  // of a task of the triangular solves, each of which reads the whole factor
constexpr int64_t kMeanRows = 512;     // of a task

std::vector<double> column_products(const std::vector<double>& a, const std::vector<double>& b, int64_t d) {
  std::vector<double> sums(static_cast<size_t>(d));
  for (size_t i = 0; i < a.size(); ++i) sums[i % static_cast<size_t>(d)] += a[i] * b[i];
  return sums;
}

}  // namespace

AttributeStep::AttributeStep(const char* name, const AttributeRows& rows, std::vector<double> weights, std::vector<double> ridges,
                             int64_t direct_columns, int most_iterations)
    : name_(name),
      rows_(rows),
      weights_(std::move(weights)),
      ridges_(std::move(ridges)),
      direct_(rows.column_count <= direct_columns),
      most_iterations_(most_iterations) {}

absl::Status AttributeStep::run(const FactorTable& vectors, PriorMap& prior, ThreadPool& pool) {
  const int64_t d = vectors.dimension();
  if (attributes_.empty()) {
    attributes_.emplace_back(rows_, std::move(weights_), pool);
    if (direct_) {
      if (absl::Status s = factorize(pool); !s.ok()) return s;
    } else {
      diagonal_ = attribute_gram_diagonal(rows_, attributes_[0].weights());
      for (size_t f = 0; f < ridges_.size(); ++f) diagonal_[f] += ridges_[f];
      means_ = FactorTable(rows_.rows(), vectors.dimension());
    }
  }
  std::vector<double> right = attributes_[0].products(vectors, pool);
  if (direct_)
    solve_factorized(right, d, pool);
  else if (absl::Status s = iterate(right, d, prior, pool); !s.ok())
    return s;
  map_.assign(right.begin(), right.end());
  prior.assign({map_.data(), attributes_[0].size(), d});
  return absl::OkStatus();
}

double AttributeStep::penalty() const {
  if (map_.empty()) return 0;
  const size_t d = map_.size() / (ridges_.size() + 1);
  double sum = 0;
  for (size_t i = 0; i < ridges_.size() * d; ++i) sum += ridges_[i / d] * double{map_[i]} * double{map_[i]};
  return sum;
}

absl::Status AttributeStep::factorize(ThreadPool& pool) {
  use_one_blas_thread();
  factor_ = attribute_gram(rows_, attributes_[0].weights(), pool);
  const auto n = static_cast<int>(attributes_[0].size());
  for (size_t f = 0; f < ridges_.size(); ++f) factor_[f * static_cast<size_t>(n) + f] += ridges_[f];
  int info = 0;
  dpotrf_("L", &n, factor_.data(), &n, &info);  // LAPACK counts by columns: its lower triangle is our upper one
  if (info == 0) return absl::OkStatus();
  return attributes_not_definite(name_);
}

void AttributeStep::solve_factorized(std::vector<double>& right, int64_t d, ThreadPool& pool) const {
  use_one_blas_thread();
  const auto n = static_cast<int>(attributes_[0].size());
  pool.run((d + kRightColumns - 1) / kRightColumns, [&](int, int64_t task) {
    const int64_t first = task * kRightColumns;
    const auto count = static_cast<int>(std::min(kRightColumns, d - first));
    for (const CBLAS_TRANSPOSE side : {CblasTrans, CblasNoTrans})
      cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, side, CblasNonUnit, n, count, 1, factor_.data(), n, right.data() + first,
                  static_cast<int>(d));
  });
}

std::vector<double> AttributeStep::times(const std::vector<double>& v, int64_t d, PriorMap& prior, ThreadPool& pool) {
  const std::vector<float> rounded(v.begin(), v.end());
  prior.assign({rounded.data(), attributes_[0].size(), d});
  std::vector<PriorMeans> workers;
  for (int i = 0; i < pool.size(); ++i) workers.emplace_back(prior);
  pool.run((rows_.rows() + kMeanRows - 1) / kMeanRows, [&](int worker, int64_t task) {
    PriorMeans& means = workers[static_cast<size_t>(worker)];
    const int64_t end = std::min(rows_.rows(), (task + 1) * kMeanRows);
    for (int64_t r = task * kMeanRows; r < end; r += PriorMeans::kBatch) {
      const int64_t count = std::min(PriorMeans::kBatch, end - r);
      means.compute(rows_, r, count);
      for (int64_t i = 0; i < count; ++i) std::copy_n(means.row(i).mean, d, means_.row(r + i));
    }
  });
  std::vector<double> product = attributes_[0].products(means_, pool);
  for (size_t i = 0; i < ridges_.size() * static_cast<size_t>(d); ++i) product[i] += ridges_[i / static_cast<size_t>(d)] * v[i];
  return product;
}

// Every column of the right side is a system of its own with the same matrix, so they share the products and nothing else. Starts from
// the last map; the preconditioner is the diagonal (Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. 2003, algorithm 9.1).
absl::Status AttributeStep::iterate(std::vector<double>& right, int64_t d, PriorMap& prior, ThreadPool& pool) {
  const auto columns = static_cast<size_t>(d);
  std::vector<double> x(right.size());
  std::vector<double> residual = right;
  if (!map_.empty()) {
    x.assign(map_.begin(), map_.end());
    const std::vector<double> product = times(x, d, prior, pool);
    for (size_t i = 0; i < residual.size(); ++i) residual[i] -= product[i];
  }
  const auto preconditioned = [&](const std::vector<double>& v) {
    std::vector<double> out(v.size());
    for (size_t i = 0; i < v.size(); ++i) out[i] = v[i] / diagonal_[i / columns];
    return out;
  };
  const std::vector<double> scale = column_products(right, right, d);
  std::vector<double> z = preconditioned(residual);
  std::vector<double> direction = z;
  std::vector<double> rz = column_products(residual, z, d);
  std::vector<double> norms = column_products(residual, residual, d);
  for (int iteration = 0; iteration < most_iterations_ && !all_fit(norms, scale, kFitTolerance); ++iteration) {
    const std::vector<double> product = times(direction, d, prior, pool);
    const std::vector<double> curvature = column_products(direction, product, d);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t j = i % columns;
      if (fits(norms[j], scale[j], kFitTolerance)) continue;  // this column has converged
      const double step = rz[j] / curvature[j];
      x[i] += step * direction[i];
      residual[i] -= step * product[i];
    }
    z = preconditioned(residual);
    const std::vector<double> next = column_products(residual, z, d);
    for (size_t i = 0; i < x.size(); ++i) direction[i] = z[i] + next[i % columns] / std::max(rz[i % columns], 1e-300) * direction[i];
    rz = next;
    norms = column_products(residual, residual, d);
  }
  if (!all_fit(norms, scale, kLeastFit)) return attributes_not_converged(name_, most_iterations_);
  right = std::move(x);
  return absl::OkStatus();
}

}  // namespace bouquet::cpu
