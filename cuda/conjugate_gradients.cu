#include "cuda/conjugate_gradients.h"

#include <algorithm>

#include "cuda/launch.h"
#include "cuda/wait_at_exit.h"
#include "engine/attribute_fit.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kPartitions = 256;  // of the rows; fixed, so that sums have one order

LaunchShape one_each(int64_t count) { return {dim3(block_count(count, kThreads)), dim3(kThreads)}; }

// One block: one partition of the rows, and 128 columns, a thread each. Floor: 16 n d bytes.
__global__ void __launch_bounds__(kThreads)
    column_sums_kernel(const double* a, const double* b, const double* diagonal, int64_t n, int d, double* sums) {
  const int column = static_cast<int>(blockIdx.y) * kThreads + static_cast<int>(threadIdx.x);
  if (column >= d) return;
  double sum = 0;
  const int64_t end = n * (blockIdx.x + 1) / kPartitions;
  for (int64_t row = n * blockIdx.x / kPartitions; row < end; ++row) {
    const double product = a[row * d + column] * b[row * d + column];
    sum += diagonal == nullptr ? product : product / diagonal[row];
  }
  sums[int64_t{blockIdx.x} * d + column] = sum;
}

// One thread: one element. to := from - product.
__global__ void subtract_kernel(const double* from, const double* product, int64_t count, double* to) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e < count) to[e] = from[e] - product[e];
}

// One thread: one element. A step along the direction, `steps` [d]: 0 for a column that has converged.
__global__ void step_kernel(const double* steps, const double* direction, const double* product, int64_t count, int d, double* x,
                            double* residual) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  const double step = steps[e % d];
  x[e] += step * direction[e];
  residual[e] -= step * product[e];
}

// One thread: one element. direction := residual / diagonal + keep direction, `keep` [d] or null: 0.
__global__ void turn_kernel(const double* residual, const double* diagonal, const double* keep, int64_t count, int d, double* direction) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  const double kept = keep == nullptr ? 0 : keep[e % d] * direction[e];
  direction[e] = residual[e] / diagonal[e / d] + kept;
}

__global__ void round_solution_kernel(int64_t count, double* x) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e < count) x[e] = static_cast<double>(static_cast<float>(x[e]));
}

}  // namespace

ConjugateGradients::ConjugateGradients(std::span<const double> diagonal, int32_t d, const Stream& stream)
    : n_(static_cast<int64_t>(diagonal.size())),
      d_(d),
      diagonal_(diagonal, stream),
      x_(n_ * d, stream),
      residual_(n_ * d, stream),
      direction_(n_ * d, stream),
      product_(n_ * d, stream),
      sums_(int64_t{kPartitions} * d, stream),
      factors_(d, stream),
      host_sums_(sums_.size()),
      host_factors_(d) {
  stream.synchronize();
}

void ConjugateGradients::count_memory(int64_t n, int32_t d, MemoryTable& table) {
  table.add("conjugate gradients", (n + 4 * n * d + (kPartitions + 1) * int64_t{d}) * int64_t{sizeof(double)});
}

std::vector<double> ConjugateGradients::column_sums(const double* a, const double* b, Divided divided, const Stream& stream) {
  launch<column_sums_kernel>(stream, {dim3(kPartitions, block_count(d_, kThreads)), dim3(kThreads)}, a, b,
                             divided == Divided::kNo ? nullptr : diagonal_.data(), n_, d_, sums_.data());
  sums_.download(host_sums_.span());
  stream.synchronize();
  std::vector<double> all(static_cast<size_t>(d_));
  for (int64_t e = 0; e < sums_.size(); ++e) all[static_cast<size_t>(e % d_)] += host_sums_[e];
  return all;
}

void ConjugateGradients::upload_factors(const std::vector<double>& factors, const Stream& stream) {
  stream.synchronize();  // the last ones have arrived
  std::ranges::copy(factors, host_factors_.span().begin());
  factors_.upload(std::as_const(host_factors_).span());
}

void ConjugateGradients::start(const double* right, const Times& times, const Stream& stream) {
  const int64_t count = n_ * d_;
  if (has_solution_) {
    times(x_.data(), product_.data());
  } else {
    x_.fill_bytes(0);
    product_.fill_bytes(0);
  }
  has_solution_ = true;
  launch<subtract_kernel>(stream, one_each(count), right, product_.data(), count, residual_.data());
  launch<turn_kernel>(stream, one_each(count), residual_.data(), diagonal_.data(), nullptr, count, d_, direction_.data());
}

bool ConjugateGradients::solve(const double* right, const Times& times, int most_iterations, const Stream& stream) {
  const int64_t count = n_ * d_;
  const auto columns = static_cast<size_t>(d_);
  start(right, times, stream);
  const std::vector<double> scale = column_sums(right, right, Divided::kNo, stream);
  std::vector<double> rz = column_sums(residual_.data(), residual_.data(), Divided::kByDiagonal, stream);
  std::vector<double> factors(columns);
  std::vector<double> norms = column_sums(residual_.data(), residual_.data(), Divided::kNo, stream);
  for (int iteration = 0; iteration < most_iterations && !all_fit(norms, scale, kFitTolerance); ++iteration) {
    times(direction_.data(), product_.data());
    const std::vector<double> curvature = column_sums(direction_.data(), product_.data(), Divided::kNo, stream);
    for (size_t j = 0; j < columns; ++j) factors[j] = fits(norms[j], scale[j], kFitTolerance) ? 0 : rz[j] / curvature[j];
    upload_factors(factors, stream);
    launch<step_kernel>(stream, one_each(count), factors_.data(), direction_.data(), product_.data(), count, d_, x_.data(),
                        residual_.data());
    const std::vector<double> next = column_sums(residual_.data(), residual_.data(), Divided::kByDiagonal, stream);
    for (size_t j = 0; j < columns; ++j) factors[j] = next[j] / std::max(rz[j], 1e-300);
    upload_factors(factors, stream);
    launch<turn_kernel>(stream, one_each(count), residual_.data(), diagonal_.data(), factors_.data(), count, d_, direction_.data());
    rz = next;
    norms = column_sums(residual_.data(), residual_.data(), Divided::kNo, stream);
  }
  // What a map keeps of it: whoever goes on from the map starts the next solve from the same numbers.
  launch<round_solution_kernel>(stream, one_each(count), count, x_.data());
  return all_fit(norms, scale, kLeastFit);
}

void ConjugateGradients::go_on_from(std::span<const double> solution, const Stream& stream) {
  const WaitAtExit wait(stream);
  x_.upload(solution);
  has_solution_ = true;
  stream.synchronize();
}

}  // namespace bouquet::cuda
