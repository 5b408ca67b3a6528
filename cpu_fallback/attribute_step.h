// The attribute step: the map A from attributes to prior means that fits the vectors of one side best,
//     A = argmin sum over r of w_r |p_r - x_r A|² + sum over f of g_f |A_f|²    (the intercept is not regularised),
// with w_r = lambda rho_r, which counts alone decide, and g_f = lambda_A plus what the training adds for the column. So XᵀRX is factorized
// once per training; where F is large, conjugate gradients take its place (docs/algorithms/attributes.md).
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "cpu_fallback/prior_means.h"
#include "cpu_fallback/weighted_attributes.h"
#include "engine/attribute_fit.h"

namespace bouquet::cpu {

class AttributeStep {
 public:
  // `name` is what the side is called in an error: "customer" or "item". `rows` is borrowed; `weights` [n]; `ridges` g
  // [F].
  AttributeStep(const char* name, const AttributeRows& rows, std::vector<double> weights, std::vector<double> ridges,
                int64_t direct_columns = kDirectAttributeColumns, int most_iterations = kMostFitIterations);

  // Fits the map of `prior` to `vectors`, [n, d]. What is made once is made in the first call. Errors: InvalidArgument (the system is not
  // positive definite, or conjugate gradients do not converge).
  absl::Status run(const FactorTable& vectors, PriorMap& prior, ThreadPool& pool);

  // As if `map` [F + 1, d] were what the last run found.
  void go_on_from(std::span<const float> map) { map_.assign(map.begin(), map.end()); }

  const std::vector<float>& map() const { return map_; }  // [F + 1, d], what the last run found; empty before
  double penalty() const;                                 // sum of g_f |A_f|² of the same

 private:
  absl::Status factorize(ThreadPool& pool);
  void solve_factorized(std::vector<double>& right, int64_t d, ThreadPool& pool) const;
  absl::Status iterate(std::vector<double>& right, int64_t d, PriorMap& prior, ThreadPool& pool);
  // (XᵀRX + diag(g)) v.
  std::vector<double> times(const std::vector<double>& v, int64_t d, PriorMap& prior, ThreadPool& pool);

  const char* name_;
  AttributeRows rows_;
  std::vector<double> weights_;
  std::vector<double> ridges_;
  bool direct_;
  int most_iterations_;
  std::vector<WeightedAttributes> attributes_;  // one, once it is made
  std::vector<double> factor_;                  // U of XᵀRX + diag(g) = UᵀU, [F + 1, F + 1]
  std::vector<double> diagonal_;                // for conjugate gradients
  FactorTable means_;                           // likewise, [n]
  std::vector<float> map_;
};

}  // namespace bouquet::cpu
