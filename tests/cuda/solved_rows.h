// Rows of a half-step solved on the device, by the plan that a test gives, and what came back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "cuda/factor_array.h"
#include "cuda/half_step.h"
#include "cuda/libraries.h"
#include "cuda/solve_source.h"
#include "engine/interactions.h"
#include "tests/oracle/ials.h"

namespace bouquet::cuda {

constexpr int32_t kNoneFailed = std::numeric_limits<int32_t>::max();

// Uniform numbers around zero, `rows` times `d` of them.
inline std::vector<float> random_vectors(int64_t rows, int32_t d, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> values(static_cast<size_t>(rows * d));
  for (float& x : values) x = std::uniform_real_distribution<float>(-0.4f, 0.4f)(random);
  return values;
}

struct SolvedRows {
  std::vector<float> solved;    // [rows + 1, row_stride(d)], NaN where nothing was written
  std::vector<float> cholesky;  // [rows, d, d] and one more number, the same
  int32_t failed = kNoneFailed;
};

// The fixed side on the device. One test, one of these.
class RowsOnTheDevice {
 public:
  static constexpr oracle::Settings kSettings{.alpha0 = 0.3, .lambda = 0.5, .nu = 0.7};

  // `values` [n, d]: the fixed side. With a Gram matrix that is not finite if `broken`.
  RowsOnTheDevice(int32_t d, std::vector<float> values, const oracle::Settings& settings = kSettings, bool broken = false)
      : d_(d),
        values_(std::move(values)),
        settings_(settings),
        stream_(device_),
        blas_(stream_),
        solver_(stream_),
        fixed_(static_cast<int64_t>(values_.size()) / d, d, stream_),
        source_(fixed_.data(), fixed_.rows(), d, settings.alpha0, stream_) {
    fixed_.fill(
        [&](int64_t first, int64_t count, float* to) {
          for (int64_t e = 0; e < count * d_; ++e) to[e / d_ * fixed_.stride() + e % d_] = values_[static_cast<size_t>(first * d_ + e)];
        },
        stream_);
    const oracle::FixedSide exact = side();
    std::vector<float> gram(exact.gram.begin(), exact.gram.end());
    if (broken) gram.back() = std::numeric_limits<float>::infinity();
    const DeviceArray<float> on_device(gram, stream_);
    EigenScratch scratch(d, solver_, stream_);
    source_.refresh(on_device.data(), scratch, blas_, solver_, stream_);
    stream_.synchronize();
  }

  // Of the largest systems, at most so many have blocks of their own.
  void set_rows_at_once(int32_t rows) { rows_at_once_ = rows; }

  const SolveSource& source() const { return source_; }
  oracle::FixedSide side() const { return oracle::FixedSide(MatrixView<const float>{values_.data(), fixed_.rows(), d_}); }

  SolvedRows solve(const SparseRows& rows, const HalfStepPlan& plan) {
    return run(rows, plan, false, [&](const HalfStep& step, SolveScratch& scratch, const DeviceSolutions& out) {
      step.run(source_, scratch, {}, out, stream_);
    });
  }

  // Every row directly, with its factor.
  SolvedRows factorize(const SparseRows& rows) {
    const HalfStepPlan plan = plan_half_step(rows.offsets, d_, 0);
    std::vector<int32_t> list(static_cast<size_t>(rows.row_count()));
    for (size_t r = 0; r < list.size(); ++r) list[r] = static_cast<int32_t>(r);
    const DeviceArray<int32_t> on_device(list, stream_);
    stream_.synchronize();
    return run(rows, plan, true, [&](const HalfStep& step, SolveScratch& scratch, const DeviceSolutions& out) {
      factorize_rows({on_device.data(), rows.row_count()}, step.pairs(), source_, scratch, out, stream_);
    });
  }

 private:
  template <typename Run>
  SolvedRows run(const SparseRows& rows, const HalfStepPlan& plan, bool with_factors, const Run& run) {
    const int64_t count = rows.row_count(), stride = row_stride(d_);
    const HalfStep step(rows, plan, {settings_.alpha0, settings_.lambda, settings_.nu, fixed_.rows()}, stream_);
    SolveScratch scratch(d_, plan.slots, std::min(rows.row_count(), rows_at_once_), stream_);
    DeviceArray<float> solved((count + 1) * stride, stream_), factors(with_factors ? count * d_ * d_ + 1 : 0, stream_);
    solved.fill_bytes(0xFF);
    factors.fill_bytes(0xFF);
    SolvedRows back{std::vector<float>(static_cast<size_t>(solved.size())), std::vector<float>(static_cast<size_t>(factors.size()))};
    DeviceArray<int32_t> failed(std::span<const int32_t>(&back.failed, 1), stream_);
    stream_.synchronize();
    run(step, scratch, {solved.data(), stride, with_factors ? factors.data() : nullptr, 0, failed.data()});
    solved.download(back.solved);
    factors.download(back.cholesky);
    failed.download({&back.failed, 1});
    stream_.synchronize();
    return back;
  }

  const int32_t d_;
  int32_t rows_at_once_ = std::numeric_limits<int32_t>::max();
  const std::vector<float> values_;
  const oracle::Settings settings_;
  const Device device_{0};
  const Stream stream_;
  const BlasHandle blas_;
  const SolverHandle solver_;
  FactorArray fixed_;
  SolveSource source_;
};

}  // namespace bouquet::cuda
