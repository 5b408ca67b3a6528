#include "cpu_fallback/objective.h"

#include <vector>

#include "cpu_fallback/panel_kernels.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kPartitions = 32;  // fixed: the same bits at any number of threads

struct Range {
  int64_t begin, end;
};
Range partition(int64_t rows, int64_t part) { return {rows * part / kPartitions, rows * (part + 1) / kPartitions}; }

std::vector<double> gram(const FactorTable& table, ThreadPool& pool) {
  const auto d = static_cast<size_t>(table.dimension());
  std::vector<std::vector<double>> parts(kPartitions, std::vector<double>(d * d));
  pool.run(kPartitions, [&](int, int64_t part) {
    std::vector<double> row(d);
    const Range range = partition(table.rows(), part);
    for (int64_t r = range.begin; r < range.end; ++r) {
      for (size_t j = 0; j < d; ++j) row[j] = static_cast<double>(table.row(r)[j]);
      for (size_t i = 0; i < d; ++i)
        for (size_t j = 0; j < d; ++j) parts[static_cast<size_t>(part)][i * d + j] += row[i] * row[j];
    }
  });
  for (size_t part = 1; part < kPartitions; ++part)
    for (size_t i = 0; i < d * d; ++i) parts[0][i] += parts[part][i];
  return std::move(parts[0]);
}

// lambda times the sum of rho |x|² over one side.
double penalty(const SparseRows& rows, const FactorTable& table, const RidgeRule& rule, int64_t part) {
  double sum = 0;
  const Range range = partition(table.rows(), part);
  for (int64_t r = range.begin; r < range.end; ++r) {
    sum += rule.ridge(rows.row_length(r)) * dot_in_double(table.row(r), table.row(r), table.stride());
  }
  return sum;
}

double misfit(const SparseRows& rows, const FactorTable& profiles, const FactorTable& item_vectors, int64_t part) {
  double sum = 0;
  const Range range = partition(rows.row_count(), part);
  for (int64_t u = range.begin; u < range.end; ++u)
    for (auto k = static_cast<size_t>(rows.offsets[static_cast<size_t>(u)]);
         k < static_cast<size_t>(rows.offsets[static_cast<size_t>(u) + 1]); ++k) {
      const double target = rows.targets.empty() ? 1.0 : static_cast<double>(rows.targets[k]);
      const double gap = target - dot_in_double(profiles.row(u), item_vectors.row(rows.columns[k]), profiles.stride());
      sum += static_cast<double>(rows.confidences[k]) * gap * gap;
    }
  return sum;
}

}  // namespace

double objective(const Interactions& interactions, const FactorTable& profiles, const FactorTable& item_vectors,
                 const ObjectiveRules& rules, ThreadPool& pool) {
  const std::vector<double> profile_gram = gram(profiles, pool);
  const std::vector<double> item_gram = gram(item_vectors, pool);
  std::vector<double> parts(kPartitions);
  pool.run(kPartitions, [&](int, int64_t part) {
    parts[static_cast<size_t>(part)] = misfit(interactions.by_customer, profiles, item_vectors, part) +
                                       penalty(interactions.by_customer, profiles, rules.customers, part) +
                                       penalty(interactions.by_item, item_vectors, rules.items, part);
  });
  double all_pairs = 0;
  for (size_t i = 0; i < item_gram.size(); ++i) all_pairs += profile_gram[i] * item_gram[i];
  double sum = rules.customers.unobserved_weight * all_pairs;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace bouquet::cpu
