#include "tests/oracle/ials.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bouquet::oracle {
namespace {

template <typename T>
double dot(std::span<T> a, std::span<T> b) {
  double sum = 0;
  for (size_t j = 0; j < a.size(); ++j) sum += double{a[j]} * double{b[j]};
  return sum;
}

double rho(double pairs, double fixed_count, const Settings& s) { return std::pow(pairs + s.alpha0 * fixed_count, s.nu); }

double target_of(const Row& row, size_t k) { return row.targets.empty() ? 1.0 : double{row.targets[k]}; }

void add_outer(std::span<const double> y, double weight, std::vector<double>& sum) {
  for (size_t i = 0; i < y.size(); ++i)
    for (size_t j = 0; j < y.size(); ++j) sum[i * y.size() + j] += weight * y[i] * y[j];
}

Vectors half_step(const SparseRows& rows, const Vectors& fixed, const Settings& settings) {
  const FixedSide side(fixed);
  Vectors solved(rows.row_count(), fixed.cols);
  for (int64_t r = 0; r < solved.rows; ++r)
    std::ranges::copy(solve(normal_equations(row_of(rows, r), side, settings)), solved.values.begin() + r * solved.cols);
  return solved;
}

double ridge_of(const SparseRows& rows, int64_t r, int64_t fixed_count, const Settings& s) {
  return s.lambda * rho(static_cast<double>(rows.row_length(r)), static_cast<double>(fixed_count), s);
}

double penalty(const SparseRows& rows, const AttributeTable& attributes, MatrixView<const float> map, std::span<const double> ridges,
               MatrixView<const float> vectors, int64_t fixed_count, const Settings& s) {
  double sum = 0;
  for (int64_t r = 0; r < vectors.rows; ++r) {
    std::vector<double> mean(static_cast<size_t>(vectors.cols));
    if (!map.empty()) mean = prior_mean(attributes.rows(), r, map);
    for (size_t j = 0; j < mean.size(); ++j) sum += ridge_of(rows, r, fixed_count, s) * std::pow(double{vectors.row(r)[j]} - mean[j], 2);
  }
  for (int64_t f = 0; f + 1 < map.rows; ++f) sum += ridges[static_cast<size_t>(f)] * dot(map.row(f), map.row(f));
  return sum;
}

}  // namespace

Row row_of(const SparseRows& rows, int64_t r) {
  const auto begin = static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]);
  const auto length = static_cast<size_t>(rows.row_length(r));
  Row row{{rows.columns.data() + begin, length}, {rows.confidences.data() + begin, length}, {}};
  if (!rows.targets.empty()) row.targets = {rows.targets.data() + begin, length};
  return row;
}

Vectors::Vectors(MatrixView<const float> rounded)
    : rows(rounded.rows), cols(rounded.cols), values(rounded.data, rounded.data + rounded.rows * rounded.cols) {}

FixedSide::FixedSide(Vectors fixed) : vectors(std::move(fixed)), gram(static_cast<size_t>(vectors.cols * vectors.cols)) {
  for (int64_t r = 0; r < vectors.rows; ++r) add_outer(vectors.row(r), 1, gram);
}

NormalEquations normal_equations(const Row& row, const FixedSide& fixed, const Settings& settings, std::span<const double> prior) {
  const auto d = static_cast<size_t>(fixed.vectors.cols);
  NormalEquations e{fixed.gram, std::vector<double>(d), 0};
  for (double& x : e.matrix) x *= settings.alpha0;
  for (size_t k = 0; k < row.columns.size(); ++k) {
    const auto y = fixed.vectors.row(row.columns[k]);
    const double weight = double{row.confidences[k]} * target_of(row, k);
    add_outer(y, double{row.confidences[k]}, e.matrix);
    for (size_t i = 0; i < d; ++i) e.right[i] += weight * y[i];
    e.right_scale += std::abs(weight) * std::sqrt(dot(y, y));
  }
  const double ridge = settings.lambda * rho(static_cast<double>(row.columns.size()), static_cast<double>(fixed.vectors.rows), settings);
  for (size_t i = 0; i < d; ++i) e.matrix[i * d + i] += ridge;
  double square = 0;
  for (size_t i = 0; i < prior.size(); ++i) {
    e.right[i] += ridge * prior[i];
    square += prior[i] * prior[i];
  }
  e.right_scale += ridge * std::sqrt(square);
  return e;
}

std::vector<double> attributes_of(const AttributeRows& rows, int64_t r) {
  std::vector<double> x(static_cast<size_t>(rows.column_count) + 1);
  for (size_t f = 0; f < static_cast<size_t>(rows.dense_count); ++f)
    x[f] = double{rows.dense[static_cast<size_t>(r * rows.dense_count) + f]};
  for (auto k = static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]);
       k < static_cast<size_t>(rows.offsets[static_cast<size_t>(r) + 1]); ++k)
    x[static_cast<size_t>(rows.columns[k])] = double{rows.values[k]};
  x.back() = 1;
  return x;
}

std::vector<double> prior_mean(const AttributeRows& rows, int64_t r, MatrixView<const float> map) {
  const std::vector<double> x = attributes_of(rows, r);
  std::vector<double> mean(static_cast<size_t>(map.cols));
  for (size_t f = 0; f < x.size(); ++f)
    for (size_t j = 0; j < mean.size(); ++j) mean[j] += x[f] * double{map.row(static_cast<int64_t>(f))[j]};
  return mean;
}

double map_error(const SparseRows& rows, const AttributeRows& attributes, MatrixView<const float> vectors, MatrixView<const float> map,
                 int64_t fixed_count, std::span<const double> ridges, const Settings& settings) {
  const auto d = static_cast<size_t>(map.cols);
  std::vector<double> gradient(static_cast<size_t>(map.rows) * d), scale(gradient.size());
  for (int64_t r = 0; r < vectors.rows; ++r) {
    const std::vector<double> x = attributes_of(attributes, r);
    const std::vector<double> mean = prior_mean(attributes, r, map);
    const double ridge = ridge_of(rows, r, fixed_count, settings);
    for (size_t f = 0; f < x.size(); ++f) {
      for (size_t j = 0; j < d; ++j) {
        gradient[f * d + j] += ridge * x[f] * (double{vectors.row(r)[j]} - mean[j]);
        scale[f * d + j] += std::abs(ridge * x[f]) * (std::abs(double{vectors.row(r)[j]}) + std::abs(mean[j]));
      }
    }
  }
  double worst = 0, largest = 0;
  for (size_t f = 0; f < static_cast<size_t>(map.rows); ++f) {
    for (size_t j = 0; j < d; ++j) {
      if (f < ridges.size()) gradient[f * d + j] -= ridges[f] * double{map.row(static_cast<int64_t>(f))[j]};
      worst = std::max(worst, std::abs(gradient[f * d + j]));
      largest = std::max(largest, scale[f * d + j]);
    }
  }
  return worst / largest;
}

std::vector<double> solve(const NormalEquations& equations) {
  std::vector<double> a = equations.matrix;
  std::vector<double> x = equations.right;
  const size_t d = x.size();
  for (size_t c = 0; c < d; ++c) {
    size_t pivot = c;
    for (size_t r = c + 1; r < d; ++r)
      if (std::abs(a[r * d + c]) > std::abs(a[pivot * d + c])) pivot = r;
    for (size_t j = 0; j < d; ++j) std::swap(a[c * d + j], a[pivot * d + j]);
    std::swap(x[c], x[pivot]);
    for (size_t r = c + 1; r < d; ++r) {
      const double factor = a[r * d + c] / a[c * d + c];
      for (size_t j = c; j < d; ++j) a[r * d + j] -= factor * a[c * d + j];
      x[r] -= factor * x[c];
    }
  }
  for (size_t c = d; c-- > 0;) {
    for (size_t j = c + 1; j < d; ++j) x[c] -= a[c * d + j] * x[j];
    x[c] /= a[c * d + c];
  }
  return x;
}

double backward_error(const NormalEquations& e, std::span<const float> x) {
  const size_t d = x.size();
  double residual = 0, matrix = 0, solution = 0;
  for (size_t i = 0; i < d; ++i) {
    double gap = -e.right[i];
    for (size_t j = 0; j < d; ++j) {
      gap += e.matrix[i * d + j] * double{x[j]};
      matrix += e.matrix[i * d + j] * e.matrix[i * d + j];
    }
    residual += gap * gap;
    solution += double{x[i]} * double{x[i]};
  }
  const double scale = std::sqrt(matrix) * std::sqrt(solution) + e.right_scale;
  return residual == 0 ? 0 : std::sqrt(residual) / scale;
}

double condition(const NormalEquations& equations) {
  constexpr int kSteps = 60;
  const size_t d = equations.right.size();
  NormalEquations at = equations;
  // The norm that `next` multiplies its largest eigenvector by.
  const auto largest = [&](const auto& next) {
    for (size_t j = 0; j < d; ++j) at.right[j] = 1 + 0.1 * static_cast<double>(j % 7);  // along no eigenvector in particular
    double norm = 0;
    for (int step = 0; step < kSteps; ++step) {
      at.right = next();
      norm = std::sqrt(dot(std::span(at.right), std::span(at.right)));
      for (double& x : at.right) x /= norm;
    }
    return norm;
  };
  const auto multiplied = [&] {
    std::vector<double> product(d);
    for (size_t i = 0; i < d; ++i) product[i] = dot(std::span(&at.matrix[i * d], d), std::span(at.right));
    return product;
  };
  return largest(multiplied) * largest([&] { return solve(at); });
}

Training::Training(const Interactions& interactions, MatrixView<const float> initial_profiles, const Settings& settings)
    : interactions_(interactions),
      settings_(settings),
      profiles_(initial_profiles),
      item_vectors_(interactions.item_count(), initial_profiles.cols) {}

void Training::run_epoch() {
  item_vectors_ = half_step(interactions_.by_item, profiles_, settings_);
  profiles_ = half_step(interactions_.by_customer, item_vectors_, settings_);
}

double relative_gap(std::span<const float> x, std::span<const double> exact) {
  double gap = 0;
  for (size_t i = 0; i < x.size(); ++i) gap += std::pow(double{x[i]} - exact[i], 2);
  return std::sqrt(gap / dot(exact, exact));
}

double objective(const Interactions& interactions, MatrixView<const float> profiles, MatrixView<const float> item_vectors,
                 const Settings& settings, const Priors& priors) {
  double sum =
      penalty(interactions.by_customer, interactions.customer_attributes, priors.customers, priors.customer_ridges, profiles,
              item_vectors.rows, settings) +
      penalty(interactions.by_item, interactions.item_attributes, priors.items, priors.item_ridges, item_vectors, profiles.rows, settings);
  for (int64_t u = 0; u < profiles.rows; ++u) {
    for (int64_t i = 0; i < item_vectors.rows; ++i) {
      const double s = dot(profiles.row(u), item_vectors.row(i));
      sum += settings.alpha0 * s * s;
    }
    const Row row = row_of(interactions.by_customer, u);
    for (size_t k = 0; k < row.columns.size(); ++k) {
      const double gap = target_of(row, k) - dot(profiles.row(u), item_vectors.row(row.columns[k]));
      sum += double{row.confidences[k]} * gap * gap;
    }
  }
  return sum;
}

}  // namespace bouquet::oracle
