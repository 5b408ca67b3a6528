#include "cuda/trained_prior.h"

#include <vector>

#include "cuda/solve_rules.h"

namespace bouquet::cuda {

TrainedPrior::TrainedPrior(const AttributeTable& attributes, const SparseRows& rows, const RidgeRule& rule, const HalfStep& step,
                           std::span<const double> column_ridges, const AttributeStepOptions& options, const SolverHandle& solver,
                           const Stream& stream)
    : options_(options),
      arrays_(attributes.rows(), stream),
      map_(attributes.column_count, options.dimension, stream),
      means_(int64_t{rows.row_count()} * row_stride(options.dimension), stream),
      column_ridges_(column_ridges, stream),
      step_({attributes.rows(), ridges_of(rows, rule), arrays_.view(), step.pairs().ridges}, column_ridges, options, solver, stream) {}

void TrainedPrior::count_memory(const AttributeTable& attributes, const AttributeStepOptions& options, MemoryTable& table) {
  AttributeArrays::count_memory(attributes.rows(), table);
  PriorMap::count_memory(attributes.column_count, options.dimension, table);
  table.add("prior means", attributes.rows().rows() * row_stride(options.dimension) * int64_t{sizeof(float)});
  table.add("attribute sums", int64_t{attributes.column_count} * int64_t{sizeof(double)});
  AttributeStep::count_memory(attributes.rows(), options, table);
}

RowPriors TrainedPrior::for_half_step(const SolveSource& source, const BlasHandle& blas) {
  map_.rotate(source, blas);
  return {arrays_.view(), &map_, means_.data()};
}

ObjectivePrior TrainedPrior::for_objective(const Stream& stream) {
  const FactorArray& table = map_.table();
  const auto rows = static_cast<int32_t>(means_.size() / table.stride());
  compute_prior_means(arrays_.view(), table.data(), options_.dimension, {nullptr, rows}, means_.data(), stream);
  return {means_.data(), table.data(), table.rows() - 1, column_ridges_.data()};
}

AttributePrior TrainedPrior::to_host(const Stream& stream) const { return {arrays_.view().dense_count, map_.table().to_host(stream)}; }

void TrainedPrior::go_on_from(const AttributePrior& prior, const Stream& stream) {
  map_.table().assign({prior.map.data(), map_.table().rows(), options_.dimension}, stream);
  step_.go_on_from(prior.map.view(), stream);
}

}  // namespace bouquet::cuda
