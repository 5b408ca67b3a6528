// The fixed side of a half-step, prepared once for all the rows that are solved against it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/thread_pool.h"

namespace bouquet::cpu {

inline constexpr int kGramPartitions = 32;  // fixed, so that the sum has the same bits at any number of threads

// YᵀY, [d, d] row-major and symmetric: float sums over fixed partitions of the rows, added in order in double.
std::vector<float> gram_of(const FactorTable& vectors, ThreadPool& pool);

class SolveSource {
 public:
  // `vectors` outlives the source. refresh() must follow before the first use and after every change of the vectors.
  SolveSource(const FactorTable& vectors, double unobserved_weight) : vectors_(vectors), unobserved_weight_(unobserved_weight) {}

  void refresh(std::span<const float> gram, ThreadPool& pool);

  const FactorTable& vectors() const { return vectors_; }
  int32_t dimension() const { return vectors_.dimension(); }
  std::span<const float> shared_matrix() const { return shared_matrix_; }  // alpha0 YᵀY, [d, d]

 private:
  const FactorTable& vectors_;
  double unobserved_weight_;
  std::vector<float> shared_matrix_;
};

}  // namespace bouquet::cpu
