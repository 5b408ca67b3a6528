#include "cpu_fallback/objective.h"

#include <cblas.h>

#include <algorithm>
#include <vector>

#include "cpu_fallback/panel_kernels.h"
#include "engine/blas_threads.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kPartitions = 32;  // fixed: the same bits at any number of threads
constexpr int64_t kGramRows = 256;   // at a time

struct Range {
  int64_t begin, end;
};
Range partition(int64_t rows, int64_t part) { return {rows * part / kPartitions, rows * (part + 1) / kPartitions}; }

// The upper triangle of YᵀY in double, [d, d].
std::vector<double> gram(const FactorTable& table, ThreadPool& pool) {
  const int32_t d = table.dimension();
  const auto size = static_cast<size_t>(d) * static_cast<size_t>(d);
  std::vector<std::vector<double>> parts(kPartitions);
  pool.run(kPartitions, [&](int, int64_t part) {
    parts[static_cast<size_t>(part)].assign(size, 0.0);
    std::vector<double> rows(static_cast<size_t>(kGramRows) * static_cast<size_t>(d));
    const Range range = partition(table.rows(), part);
    for (int64_t r = range.begin; r < range.end; r += kGramRows) {
      const int64_t count = std::min(kGramRows, range.end - r);
      for (int64_t i = 0; i < count; ++i) std::copy_n(table.row(r + i), d, rows.begin() + i * d);
      cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, static_cast<int>(count), 1, rows.data(), d, 1,
                  parts[static_cast<size_t>(part)].data(), d);
    }
  });
  for (size_t part = 1; part < kPartitions; ++part)
    for (size_t i = 0; i < size; ++i) parts[0][i] += parts[part][i];
  return std::move(parts[0]);
}

// The inner product of two symmetric matrices of which only the upper triangles are filled.
double inner_product(const std::vector<double>& a, const std::vector<double>& b, int32_t d) {
  double diagonal = 0;
  double above = 0;
  for (size_t i = 0; i < static_cast<size_t>(d); ++i) {
    diagonal += a[i * static_cast<size_t>(d) + i] * b[i * static_cast<size_t>(d) + i];
    for (size_t j = i * static_cast<size_t>(d) + i + 1; j < (i + 1) * static_cast<size_t>(d); ++j) above += a[j] * b[j];
  }
  return diagonal + 2 * above;
}

// lambda times the sum of rho |x - m|² over one side, m the prior mean.
double penalty(const SparseRows& rows, const AttributeTable& attributes, const FactorTable& table, const RidgeRule& rule,
               const PriorMap& prior, int64_t part) {
  double sum = 0;
  const Range range = partition(table.rows(), part);
  PriorMeans means(prior);
  for (int64_t r = range.begin; r < range.end; ++r) {
    const int64_t in_batch = (r - range.begin) % PriorMeans::kBatch;
    if (in_batch == 0) means.compute(attributes.rows(), r, std::min(PriorMeans::kBatch, range.end - r));
    const float* mean = means.row(in_batch).mean;
    double square = 0;
    for (int32_t j = 0; j < table.dimension(); ++j) {
      const double gap = double{table.row(r)[j]} - (mean == nullptr ? 0.0 : double{mean[j]});
      square += gap * gap;
    }
    sum += rule.ridge(rows.row_length(r)) * square;
  }
  return sum;
}

double misfit(const SparseRows& rows, const FactorTable& profiles, const FactorTable& item_vectors, int64_t part) {
  double sum = 0;
  std::vector<double> scores;
  const Range range = partition(rows.row_count(), part);
  for (int64_t u = range.begin; u < range.end; ++u) {
    const auto begin = static_cast<size_t>(rows.offsets[static_cast<size_t>(u)]);
    scores.resize(static_cast<size_t>(rows.row_length(u)));
    inner_products(item_vectors, profiles.row(u), std::span(rows.columns).subspan(begin, scores.size()), scores.data());
    for (size_t k = 0; k < scores.size(); ++k) {
      const double gap = (rows.targets.empty() ? 1.0 : static_cast<double>(rows.targets[begin + k])) - scores[k];
      sum += static_cast<double>(rows.confidences[begin + k]) * gap * gap;
    }
  }
  return sum;
}

}  // namespace

double objective(const Interactions& interactions, const FactorTable& profiles, const FactorTable& item_vectors,
                 const ObjectiveRules& rules, const ObjectivePriors& priors, ThreadPool& pool) {
  use_one_blas_thread();
  const std::vector<double> profile_gram = gram(profiles, pool);
  const std::vector<double> item_gram = gram(item_vectors, pool);
  std::vector<double> parts(kPartitions);
  pool.run(kPartitions, [&](int, int64_t part) {
    parts[static_cast<size_t>(part)] =
        misfit(interactions.by_customer, profiles, item_vectors, part) +
        penalty(interactions.by_customer, interactions.customer_attributes, profiles, rules.customers, priors.customers, part) +
        penalty(interactions.by_item, interactions.item_attributes, item_vectors, rules.items, priors.items, part);
  });
  double sum = rules.customers.unobserved_weight * inner_product(profile_gram, item_gram, profiles.dimension());
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace bouquet::cpu
