#include "cuda/attribute_step.h"

#include <utility>
#include <vector>

#include "cuda/launch.h"
#include "cuda/solve_rules.h"
#include "cuda/wait_at_exit.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;

LaunchShape one_each(int64_t count) { return {dim3(block_count(count, kThreads)), dim3(kThreads)}; }

// One thread: one element on the diagonal of a matrix of positions, `ridges` [size].
__global__ void add_ridges_kernel(double* matrix, int64_t size, const double* ridges) {
  const int64_t p = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (p < size) matrix[p * size + p] += ridges[p];
}

// One thread: one element of [positions, d]. product += ridge v.
__global__ void add_scaled_kernel(const double* v, int64_t count, int d, const double* ridges, double* product) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e < count) product[e] += ridges[e / d] * v[e];
}

// One thread: one element of the map [F + 1, stride], the intercept last, from the order of positions [F + 1, d].
__global__ void round_map_kernel(const double* from, int64_t count, int d, int stride, int64_t intercept, float* map) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  const int64_t position = e / d, last = count / d - 1;
  const int64_t row = position < intercept ? position : position == intercept ? last : position - 1;
  map[row * stride + e % d] = static_cast<float>(from[e]);
}

// From columns to positions; the intercept has none.
std::vector<double> by_position(std::span<const double> ridges, int32_t dense_count) {
  std::vector<double> placed(ridges.begin(), ridges.end());
  placed.insert(placed.begin() + dense_count, 0.0);
  return placed;
}

// The diagonal of XᵀRX + diag(g); `ridges` g and what comes back are by positions.
std::vector<double> diagonal_of(const WeightedSide& side, std::span<const double> ridges) {
  const AttributeRows& rows = side.rows;
  std::vector<double> diagonal(static_cast<size_t>(rows.column_count) + 1);
  const auto intercept = static_cast<size_t>(rows.dense_count);
  for (int64_t r = 0; r < rows.rows(); ++r) {
    const double weight = side.weights[static_cast<size_t>(r)];
    const auto dense = rows.dense_row(r);
    for (size_t f = 0; f < dense.size(); ++f) diagonal[f] += weight * double{dense[f]} * double{dense[f]};
    const auto columns = rows.row_columns(r);
    const auto values = rows.row_values(r);
    for (size_t k = 0; k < columns.size(); ++k)
      diagonal[static_cast<size_t>(columns[k]) + 1] += weight * double{values[k]} * double{values[k]};
    diagonal[intercept] += weight;
  }
  for (size_t p = 0; p < diagonal.size(); ++p) diagonal[p] += ridges[p];
  return diagonal;
}

bool is_direct(const AttributeRows& rows, const AttributeStepOptions& options) { return rows.column_count <= options.direct_columns; }

}  // namespace

AttributeStep::AttributeStep(const WeightedSide& side, std::span<const double> ridges, const AttributeStepOptions& options,
                             const SolverHandle& solver, const Stream& stream)
    : options_(options),
      attributes_(side.attributes),
      rows_(static_cast<int32_t>(side.rows.rows())),
      direct_(is_direct(side.rows, options)),
      weighted_(side, options.dimension, direct_, stream),
      right_(weighted_.size() * options.dimension, stream) {
  const std::vector<double> placed = by_position(ridges, side.rows.dense_count);
  const std::vector<double> diagonal = direct_ ? std::vector<double>() : diagonal_of(side, placed);
  const WaitAtExit wait(stream);
  ridges_ = DeviceArray<double>(placed, stream);
  if (!direct_) {
    gradients_ = ConjugateGradients(diagonal, options.dimension, stream);
    return;
  }
  const auto n = static_cast<int>(weighted_.size());
  factor_ = DeviceArray<double>(int64_t{n} * n, stream);
  int work = 0;
  check(cusolverDnDpotrf_bufferSize(solver.get(), CUBLAS_FILL_MODE_UPPER, n, factor_.data(), n, &work));
  work_ = DeviceArray<double>(work, stream);
  failed_ = DeviceArray<int32_t>(1, stream);
  host_failed_ = PinnedArray<int32_t>(1);
}

void AttributeStep::count_memory(const AttributeRows& rows, const AttributeStepOptions& options, MemoryTable& table) {
  const int64_t n = int64_t{rows.column_count} + 1;
  const bool direct = is_direct(rows, options);
  WeightedAttributes::count_memory(rows, options.dimension, direct, table);
  table.add("attribute sums", n * (options.dimension + 1) * int64_t{sizeof(double)});
  if (direct)
    table.add("attribute Gram matrices", (n * n + most_work(n)) * int64_t{sizeof(double)});
  else
    ConjugateGradients::count_memory(n, options.dimension, table);
}

absl::Status AttributeStep::run(const float* vectors, PriorMap& map, float* means, const StepLibraries& with) {
  const int32_t d = options_.dimension;
  if (direct_ && !factorized_)
    if (absl::Status s = factorize(with); !s.ok()) return s;
  weighted_.products({vectors, row_stride(d), d}, right_.data(), d, with.blas, with.stream);
  if (!direct_) return iterate(map, means, with);
  solve_factorized(with);
  round_map(right_.data(), map, with.stream);
  with.stream.synchronize();
  return absl::OkStatus();
}

void AttributeStep::go_on_from(std::span<const float> map, const Stream& stream) {
  if (direct_) return;  // what it finds does not depend on where it was
  const int64_t d = options_.dimension, dense = attributes_.dense_count, intercept = weighted_.size() - 1;
  std::vector<double> placed;
  placed.reserve(map.size());
  const auto add_rows = [&](int64_t first, int64_t end) {
    for (int64_t e = first * d; e < end * d; ++e) placed.push_back(map[static_cast<size_t>(e)]);
  };
  add_rows(0, dense);
  add_rows(intercept, intercept + 1);
  add_rows(dense, intercept);
  gradients_.go_on_from(placed, stream);
}

// Row-major and the lower triangle is, counted by columns, the upper one.
absl::Status AttributeStep::factorize(const StepLibraries& with) {
  const auto n = static_cast<int>(weighted_.size());
  weighted_.gram(factor_.data(), with.blas, with.stream);
  launch<add_ridges_kernel>(with.stream, one_each(n), factor_.data(), n, ridges_.data());
  check(cusolverDnDpotrf(with.solver.get(), CUBLAS_FILL_MODE_UPPER, n, factor_.data(), n, work_.data(), static_cast<int>(work_.size()),
                         failed_.data()));
  failed_.download(host_failed_.span());
  with.stream.synchronize();
  if (host_failed_[0] != 0) return attributes_not_definite(options_.name);
  factorized_ = true;
  return absl::OkStatus();
}

// By columns: Aᵀ [d, F + 1] U⁻¹ U⁻ᵀ with XᵀRX + diag(g) = UᵀU.
void AttributeStep::solve_factorized(const StepLibraries& with) {
  const auto n = static_cast<int>(weighted_.size());
  const double one = 1;
  for (const cublasOperation_t op : {CUBLAS_OP_N, CUBLAS_OP_T})
    check(cublasDtrsm(with.blas.get(), CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, op, CUBLAS_DIAG_NON_UNIT, options_.dimension, n, &one,
                      factor_.data(), n, right_.data(), options_.dimension));
}

absl::Status AttributeStep::iterate(PriorMap& map, float* means, const StepLibraries& with) {
  const bool converged = gradients_.solve(
      right_.data(), [&](const double* v, double* product) { multiply(v, product, map, means, with); }, options_.most_iterations,
      with.stream);
  if (!converged) return attributes_not_converged(options_.name, options_.most_iterations);
  round_map(gradients_.solution(), map, with.stream);
  with.stream.synchronize();
  return absl::OkStatus();
}

void AttributeStep::multiply(const double* v, double* product, PriorMap& map, float* means, const StepLibraries& with) {
  const int32_t d = options_.dimension;
  round_map(v, map, with.stream);
  compute_prior_means(attributes_, map.table().data(), d, {nullptr, rows_}, means, with.stream);
  weighted_.products({means, row_stride(d), d}, product, d, with.blas, with.stream);
  const int64_t count = weighted_.size() * d;
  launch<add_scaled_kernel>(with.stream, one_each(count), v, count, d, ridges_.data(), product);
}

void AttributeStep::round_map(const double* from, PriorMap& map, const Stream& stream) const {
  const int32_t d = options_.dimension;
  const int64_t count = weighted_.size() * d;
  launch<round_map_kernel>(stream, one_each(count), from, count, d, row_stride(d), attributes_.dense_count, map.table().data());
}

}  // namespace bouquet::cuda
