#include "training/attribute_relevance.h"

#include <algorithm>
#include <cstddef>

#include "engine/cholesky.h"
#include "training/parallel_ranges.h"

namespace bouquet::training {
namespace {

constexpr double kLeastShare = 1e-6;
constexpr double kMetricRidge = 0.1;  // of the covariance's mean eigenvalue

// Calls visit(row, column, value) of every number that is not zero, row by row.
template <typename Visit>
void for_each_number(const AttributeRows& rows, const Visit& visit) {
  for (int64_t r = 0; r < rows.rows(); ++r) {
    const auto dense = rows.dense_row(r);
    for (size_t f = 0; f < dense.size(); ++f)
      if (dense[f] != 0) visit(static_cast<size_t>(r), f, double{dense[f]});
    const auto columns = rows.row_columns(r);
    const auto values = rows.row_values(r);
    for (size_t k = 0; k < columns.size(); ++k) visit(static_cast<size_t>(r), static_cast<size_t>(columns[k]), double{values[k]});
  }
}

template <typename Visit>
void for_each_column(const AttributeSchema::Place& place, const Visit& visit) {
  for (int32_t i = 0; i < place.dense_count; ++i) visit(static_cast<size_t>(place.dense + i));
  for (int32_t i = 0; i < place.sparse_count; ++i) visit(static_cast<size_t>(place.sparse + i));
}

constexpr int64_t kLeastDimensions = 8;  // of a thread: each sums some over all rows, so that no order depends on the number of threads

struct ColumnMoments {
  std::vector<double> mean, square;  // [F]: weighted mean, and s_f; 0 of a column that does not vary
};

ColumnMoments moments_of(const WeightedRows& side) {
  const auto columns = static_cast<size_t>(side.rows.column_count);
  ColumnMoments m{std::vector<double>(columns), std::vector<double>(columns)};
  double all = 0;
  for (const double w : side.weights) all += w;
  for_each_number(side.rows, [&](size_t r, size_t f, double x) {
    m.mean[f] += side.weights[r] * x;
    m.square[f] += side.weights[r] * x * x;
  });
  for (size_t f = 0; f < columns; ++f) {
    m.mean[f] /= all;
    const double centred = m.square[f] - all * m.mean[f] * m.mean[f];
    m.square[f] = centred > 1e-9 * m.square[f] ? centred : 0;
  }
  return m;
}

// The rows of a table less their weighted mean, and the metric in which their lengths are taken.
class CentredVectors {
 public:
  CentredVectors(std::span<const double> weights, MatrixView<const float> vectors, int threads)
      : vectors_(vectors), d_(static_cast<size_t>(vectors.cols)), mean_(d_), factor_(d_ * d_) {
    double all = 0;
    for (size_t r = 0; r < weights.size(); ++r) {
      all += weights[r];
      for (size_t j = 0; j < d_; ++j) mean_[j] += weights[r] * double{vectors.row(static_cast<int64_t>(r))[j]};
    }
    for (double& m : mean_) m /= all;
    add_covariance(weights, threads);
    for (size_t i = 0; i < d_; ++i) trace_ += factor_[i * d_ + i];
    if (has_any()) factorize();
  }

  size_t dimension() const { return d_; }
  bool has_any() const { return trace_ > 0; }
  double at(size_t r, size_t j) const { return double{vectors_.row(static_cast<int64_t>(r))[j]} - mean_[j]; }
  // The squared length of v [d], which is overwritten.
  double squared_length(std::span<double> v) const {
    double sum = 0;
    for (size_t i = 0; i < d_; ++i) {
      for (size_t k = 0; k < i; ++k) v[i] -= factor_[i * d_ + k] * v[k];
      v[i] /= factor_[i * d_ + i];
      sum += v[i] * v[i];
    }
    return sum;
  }

 private:
  void add_covariance(std::span<const double> weights, int threads) {
    const auto add = [&](int, int64_t begin, int64_t end) {
      std::vector<double> row(d_);
      for (size_t r = 0; r < weights.size(); ++r) {
        for (size_t j = 0; j < d_; ++j) row[j] = at(r, j);
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
          for (size_t j = 0; j <= i; ++j) factor_[i * d_ + j] += weights[r] * row[i] * row[j];
      }
    };
    parallel_ranges(static_cast<int64_t>(d_), threads, add, kLeastDimensions);
  }
  void factorize() {
    for (size_t i = 0; i < d_; ++i) factor_[i * d_ + i] += kMetricRidge * trace_ / static_cast<double>(d_);
    factorize_cholesky(factor_, d_);  // positive definite by what was added
  }

  MatrixView<const float> vectors_;
  size_t d_;
  std::vector<double> mean_;    // [d]
  std::vector<double> factor_;  // L of the metric's inverse, [d, d]
  double trace_ = 0;
};

// |sum_r w_r x_rf p_r|² of each column, [F].
std::vector<double> squared_products(const WeightedRows& side, const CentredVectors& p, int threads) {
  const auto columns = static_cast<size_t>(side.rows.column_count);
  const size_t d = p.dimension();
  std::vector<double> sums(columns * d), out(columns);
  const auto add = [&](int, int64_t begin, int64_t end) {
    for_each_number(side.rows, [&](size_t r, size_t f, double x) {
      for (auto j = static_cast<size_t>(begin); j < static_cast<size_t>(end); ++j) sums[f * d + j] += side.weights[r] * x * p.at(r, j);
    });
  };
  parallel_ranges(static_cast<int64_t>(d), threads, add, kLeastDimensions);
  for (size_t f = 0; f < columns; ++f) out[f] = p.squared_length(std::span(sums).subspan(f * d, d));
  return out;
}

// sum_r w_r² (x_rf - mean_f)² |p_r|² of each column, [F].
std::vector<double> expected_by_chance(const WeightedRows& side, const CentredVectors& p, const std::vector<double>& mean, int threads) {
  std::vector<double> noise(side.weights.size());  // w² |p|²
  parallel_ranges(static_cast<int64_t>(noise.size()), threads, [&](int, int64_t begin, int64_t end) {
    std::vector<double> row(p.dimension());
    for (auto r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
      for (size_t j = 0; j < row.size(); ++j) row[j] = p.at(r, j);
      noise[r] = side.weights[r] * side.weights[r] * p.squared_length(row);
    }
  });
  double all = 0;
  for (const double n : noise) all += n;
  std::vector<double> out(mean.size());
  for (size_t f = 0; f < mean.size(); ++f) out[f] = all * mean[f] * mean[f];
  for_each_number(side.rows, [&](size_t r, size_t f, double x) { out[f] += noise[r] * (x - 2 * mean[f]) * x; });
  return out;
}

}  // namespace

std::vector<AttributeRelevance> attribute_relevance(const AttributeSchema& schema, const WeightedRows& side,
                                                    MatrixView<const float> vectors, int threads) {
  std::vector<AttributeRelevance> out;
  for (const Attribute& attribute : schema.attributes()) out.push_back({attribute.name, 0});
  const CentredVectors p(side.weights, vectors, threads);
  if (!p.has_any()) return out;  // all vectors are the same
  const ColumnMoments moments = moments_of(side);
  const std::vector<double> found = squared_products(side, p, threads);
  const std::vector<double> chance = expected_by_chance(side, p, moments.mean, threads);
  for (size_t a = 0; a < out.size(); ++a) {
    double of_all = 0, of_chance = 0;
    for_each_column(schema.place(a), [&](size_t f) {
      if (moments.square[f] == 0) return;
      of_all += found[f] / moments.square[f];
      of_chance += chance[f] / moments.square[f];
    });
    if (of_all > of_chance) out[a].share = 1 - of_chance / of_all;
  }
  return out;
}

std::vector<double> relevance_ridges(const AttributeSchema& schema, const WeightedRows& side,
                                     std::span<const AttributeRelevance> relevance) {
  const ColumnMoments moments = moments_of(side);
  std::vector<double> ridges(moments.square.size());
  for (const AttributeRelevance& known : relevance) {
    const int32_t a = schema.find(known.name);
    if (a == kNone) continue;
    const double share = std::clamp(known.share, kLeastShare, 1.0);
    for_each_column(schema.place(static_cast<size_t>(a)), [&](size_t f) { ridges[f] = moments.square[f] * (1 - share) / share; });
  }
  return ridges;
}

}  // namespace bouquet::training
