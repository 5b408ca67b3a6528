#include "cpu_fallback/solve_source.h"

namespace bouquet::cpu {

std::vector<float> gram_of(const FactorTable& vectors, ThreadPool& pool) {
  const auto d = static_cast<size_t>(vectors.dimension());
  std::vector<std::vector<float>> parts(kGramPartitions, std::vector<float>(d * d));
  pool.run(kGramPartitions, [&](int, int64_t part) {
    float* sum = parts[static_cast<size_t>(part)].data();
    const int64_t end = vectors.rows() * (part + 1) / kGramPartitions;
    for (int64_t r = vectors.rows() * part / kGramPartitions; r < end; ++r)
      for (size_t i = 0; i < d; ++i)
        for (size_t j = 0; j < d; ++j) sum[i * d + j] += vectors.row(r)[i] * vectors.row(r)[j];
  });
  std::vector<float> gram(d * d);
  for (size_t i = 0; i < d * d; ++i) {
    double sum = 0;
    for (const auto& part : parts) sum += static_cast<double>(part[i]);
    gram[i] = static_cast<float>(sum);
  }
  return gram;
}

void SolveSource::refresh(std::span<const float> gram, ThreadPool&) {
  shared_matrix_.resize(gram.size());
  for (size_t i = 0; i < gram.size(); ++i) shared_matrix_[i] = static_cast<float>(unobserved_weight_ * static_cast<double>(gram[i]));
}

}  // namespace bouquet::cpu
