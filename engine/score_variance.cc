#include "engine/score_variance.h"

#include <algorithm>
#include <cmath>

#include "engine/cholesky.h"
#include "engine/random_stream.h"
#include "engine/ridge_rule.h"
#include "engine/side_by_side.h"

namespace bouquet {
namespace {

// V = a PᵀP + ridge I of one item.
struct ItemMatrix {
  double a, ridge;
};

ItemMatrix matrix_of(const Model& model, const Uncertainty& u, int32_t item) {
  const int64_t at = 2 * int64_t{item};
  if (at < u.items.size()) return {double{u.items[at]}, double{u.items[at + 1]}};
  const ModelConstants& c = model.constants;
  const RidgeRule rule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_customer_count};
  return {c.unobserved_weight, rule.ridge(0)};
}

// Of each vector v: vᵀ W⁻¹ v = |L⁻¹ v|².
std::vector<double> inverse_norms(SideBySide vectors, std::span<const float> cholesky, size_t d) {
  vectors.solve_lower(cholesky, d);
  std::vector<double> sums(vectors.width());
  for (size_t j = 0; j < d; ++j)
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += vectors.row(j)[k] * vectors.row(j)[k];
  return sums;
}

// tr(W⁻¹ G), G symmetric.
double inverse_trace(MatrixView<const float> gram, std::span<const float> cholesky) {
  const auto d = static_cast<size_t>(gram.rows);
  SideBySide solved(gram);
  solved.solve_lower(cholesky, d);
  solved.solve_upper(cholesky, d);
  double trace = 0;
  for (size_t j = 0; j < d; ++j) trace += solved.row(j)[j];
  return trace;
}

}  // namespace

std::vector<VarianceParts> variance_parts(const Model& model, const Uncertainty& uncertainty, const SolvedProfile& customer,
                                          std::span<const int32_t> items) {
  const auto d = static_cast<size_t>(model.dimension);
  const MatrixView<const float> basis{uncertainty.basis.data(), model.dimension + 1, model.dimension};
  const std::vector<double> of_profile = inverse_norms(SideBySide(model.item_matrix(), items), customer.cholesky, d);
  const std::vector<double> spread = inverse_norms(SideBySide(MatrixView<const float>{basis.data, model.dimension, model.dimension}),
                                                   customer.cholesky, d);  // of W⁻¹ along the eigenvectors
  std::vector<double> squares(d);                                          // of the profile's coordinates there
  for (size_t j = 0; j < d; ++j) {
    double sum = 0;
    for (size_t i = 0; i < d; ++i) sum += double{basis.row(static_cast<int64_t>(j))[i]} * double{customer.profile[i]};
    squares[j] = sum * sum;
  }
  const auto eigenvalues = basis.row(model.dimension);
  std::vector<VarianceParts> parts(items.size());
  for (size_t k = 0; k < items.size(); ++k) {
    const ItemMatrix v = matrix_of(model, uncertainty, items[k]);
    parts[k].of_profile = of_profile[k];
    for (size_t j = 0; j < d; ++j) {
      const double inverse = 1 / (v.a * double{eigenvalues[j]} + v.ridge);
      parts[k].of_item += squares[j] * inverse;
      parts[k].of_both += spread[j] * inverse;
    }
  }
  return parts;
}

std::vector<double> score_deviations(const Model& model, const Uncertainty& uncertainty, const SolvedProfile& customer,
                                     std::span<const int32_t> items) {
  std::vector<double> deviations;
  for (const VarianceParts& parts : variance_parts(model, uncertainty, customer, items))
    deviations.push_back(std::sqrt(parts.variance(uncertainty.noise_variance)));
  return deviations;
}

std::vector<float> drawn_profile(const SolvedProfile& customer, double noise_variance, uint64_t seed) {
  const size_t d = customer.profile.size();
  RandomStream random(seed, 0);
  std::vector<double> z(d);
  for (double& x : z) x = random.normal();
  for (size_t i = d; i-- > 0;) {
    z[i] /= double{customer.cholesky[i * d + i]};
    for (size_t j = 0; j < i; ++j) z[j] -= double{customer.cholesky[i * d + j]} * z[i];
  }
  std::vector<float> drawn(d);
  for (size_t j = 0; j < d; ++j) drawn[j] = static_cast<float>(double{customer.profile[j]} + std::sqrt(noise_variance) * z[j]);
  return drawn;
}

absl::StatusOr<std::vector<float>> empty_cholesky_of(const Model& model) {
  const auto d = static_cast<size_t>(model.dimension);
  const ModelConstants& c = model.constants;
  const RidgeRule rule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_item_count};
  std::vector<double> factor(d * d, 0);
  for (size_t i = 0; i < d; ++i)
    for (size_t j = 0; j <= i; ++j)
      factor[i * d + j] = c.unobserved_weight * double{model.item_gram.data()[i * d + j]} + (i == j ? rule.ridge(0) : 0);
  if (!factorize_cholesky(factor, d)) return absl::InternalError("the matrix of an empty history is not positive definite");
  return std::vector<float>(factor.begin(), factor.end());
}

double profile_confidence(const Model& model, std::span<const float> cholesky, std::span<const float> empty_cholesky) {
  const MatrixView<const float> gram{model.item_gram.data(), model.dimension, model.dimension};
  const double before = inverse_trace(gram, empty_cholesky);
  if (!(before > 0)) return 0;
  return std::clamp(1 - inverse_trace(gram, cholesky) / before, 0.0, 1.0);
}

}  // namespace bouquet
