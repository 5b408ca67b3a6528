// One side's prior in a training: its attributes, the map, the means of its rows and the step that fits the map.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "cuda/attribute_step.h"
#include "cuda/factor_array.h"
#include "cuda/half_step.h"
#include "cuda/objective.h"
#include "cuda/prior_means.h"
#include "cuda/solve_source.h"
#include "engine/attribute_rows.h"
#include "engine/memory_table.h"
#include "engine/model.h"
#include "engine/ridge_rule.h"

namespace bouquet::cuda {

class TrainedPrior {
 public:
  // `rows` are the side's pairs, of which `step` has what is on the device; `step` outlives this. `column_ridges` [F]. The map
  // is zero. Waits for the stream.
  TrainedPrior(const AttributeTable& attributes, const SparseRows& rows, const RidgeRule& rule, const HalfStep& step,
               std::span<const double> column_ridges, const AttributeStepOptions& options, const SolverHandle& solver,
               const Stream& stream);
  static void count_memory(const AttributeTable& attributes, const AttributeStepOptions& options, MemoryTable& table);

  // The attribute step. Waits for the stream.
  absl::Status fit(const FactorArray& vectors, const StepLibraries& with) { return step_.run(vectors.data(), map_, means_.data(), with); }
  // What a half-step against `source`, just refreshed, draws its rows to. Asynchronous.
  RowPriors for_half_step(const SolveSource& source, const BlasHandle& blas);
  // What the objective compares the rows with. Asynchronous.
  ObjectivePrior for_objective(const Stream& stream);
  // Waits for the stream.
  AttributePrior to_host(const Stream& stream) const;
  // As if to_host() had been `prior`. Waits for the stream.
  void go_on_from(const AttributePrior& prior, const Stream& stream);

 private:
  const AttributeStepOptions options_;
  AttributeArrays arrays_;
  PriorMap map_;
  DeviceArray<float> means_;           // [n, row_stride(d)]
  DeviceArray<double> column_ridges_;  // [F]
  AttributeStep step_;
};

}  // namespace bouquet::cuda
