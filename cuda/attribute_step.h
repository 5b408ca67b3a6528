// The attribute step on the device: the map A from attributes to prior means that fits the vectors of one side best,
//     A = argmin sum over r of w_r |p_r - x_r A|² + sum over f of g_f |A_f|²    (the intercept is not regularised),
// with w_r = lambda rho_r and g_f = lambda_A plus what the training adds for the column (docs/algorithms/attributes.md). XᵀRX is factorized
// once per training; where F is large, conjugate gradients take its place. All memory is made at the start.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "cuda/conjugate_gradients.h"
#include "cuda/device_array.h"
#include "cuda/libraries.h"
#include "cuda/prior_means.h"
#include "cuda/stream.h"
#include "cuda/weighted_attributes.h"
#include "engine/attribute_fit.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// What a step does its algebra with.
struct StepLibraries {
  const BlasHandle& blas;
  const SolverHandle& solver;
  const Stream& stream;
};

struct AttributeStepOptions {
  const char* name = "";                             // of the side in an error: "customer" or "item"
  int32_t dimension = 0;                             // d
  int64_t direct_columns = kDirectAttributeColumns;  // up to this many columns the system is factorized
  int most_iterations = kMostFitIterations;          // of conjugate gradients, for more
};

class AttributeStep {
 public:
  // `ridges` g [F]. Waits for the stream.
  AttributeStep(const WeightedSide& side, std::span<const double> ridges, const AttributeStepOptions& options, const SolverHandle& solver,
                const Stream& stream);
  static void count_memory(const AttributeRows& rows, const AttributeStepOptions& options, MemoryTable& table);

  // Doubles that Dpotrf is taken to ask for at most.
  static int64_t most_work(int64_t n) { return 512 * n + 65536; }
  int64_t work() const { return work_.size(); }

  // Fits the table of `map` to `vectors` [n, row_stride(d)]; `means` of the same shape is scratch. Waits for the stream. Errors:
  // InvalidArgument (the system is not positive definite, or conjugate gradients do not converge).
  absl::Status run(const float* vectors, PriorMap& map, float* means, const StepLibraries& with);

  // As if `map` [F + 1, d] in the order of the prior map, on the host, were what the last run found. Waits for the stream.
  void go_on_from(std::span<const float> map, const Stream& stream);

 private:
  absl::Status factorize(const StepLibraries& with);
  void solve_factorized(const StepLibraries& with);
  absl::Status iterate(PriorMap& map, float* means, const StepLibraries& with);
  // product [F + 1, d] := (XᵀRX + diag(g)) v.
  void multiply(const double* v, double* product, PriorMap& map, float* means, const StepLibraries& with);
  void round_map(const double* from, PriorMap& map, const Stream& stream) const;

  const AttributeStepOptions options_;
  const DeviceAttributes attributes_;
  const int32_t rows_;
  const bool direct_;
  WeightedAttributes weighted_;
  bool factorized_ = false;
  DeviceArray<double> ridges_;  // [F + 1] by positions, 0 of the intercept
  DeviceArray<double> right_;   // [F + 1, d], then the solution
  DeviceArray<double> factor_;  // L of XᵀRX + diag(g), [F + 1, F + 1] row-major, its lower triangle
  DeviceArray<double> work_;
  DeviceArray<int32_t> failed_;
  PinnedArray<int32_t> host_failed_;
  ConjugateGradients gradients_;
};

}  // namespace bouquet::cuda
