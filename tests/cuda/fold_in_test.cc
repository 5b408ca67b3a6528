// Fold-in on the device against fold-in on the CPU, at dimensions and lengths where the solvers change their ways.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cuda/solve_rules.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

// A model with the vectors of a short training, so that their scale is a real one.
Model small_model(int32_t d, int32_t items) {
  TrainingOptions options;
  options.dimension = d;
  options.unobserved_weight = 0.2;
  options.regularization = 2;
  options.regularization_exponent = 0.5;
  const Interactions shop = shaped_rows(std::vector<int32_t>(60, 30), items, false);
  const auto backend = cpu::make_cpu_backend(1);
  auto session = (*backend)->start_training(shop, options);
  EXPECT_TRUE(session.ok() && (*session)->run_epoch().ok());
  return *(*session)->snapshot();
}

struct Solved {
  std::vector<float> profiles, factors;
};

Solved solve(Backend& backend, const Model& model, const SparseRows& histories) {
  const auto n = static_cast<size_t>(histories.row_count()), d = static_cast<size_t>(model.dimension);
  Solved out{std::vector<float>(n * d), std::vector<float>(n * d * d)};
  auto loaded = backend.load(model);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = static_cast<int32_t>(n)});
  EXPECT_TRUE(profiler.ok()) << profiler.status();
  const absl::Status s = (*profiler)->solve({histories.offsets, histories.columns, histories.confidences, histories.targets},
                                            {{out.profiles.data(), static_cast<int64_t>(n), model.dimension}, out.factors});
  EXPECT_TRUE(s.ok()) << s;
  return out;
}

double relative_gap(const float* a, const float* b, size_t size) {
  double gap = 0, norm = 0;
  for (size_t i = 0; i < size; ++i) {
    gap += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return norm == 0 ? std::sqrt(gap) : std::sqrt(gap / norm);
}

class FoldInOnTheDevice : public testing::TestWithParam<int32_t> {};
INSTANTIATE_TEST_SUITE_P(Dimensions, FoldInOnTheDevice, testing::Values(1, 7, 31, 33, 64, 128, 200, 249, 300));

TEST_P(FoldInOnTheDevice, GivesTheProfilesAndFactorsOfTheCpu) {
  const int32_t d = GetParam(), items = std::max(d + 40, 80), dual = longest_dual_row(d);
  const Model model = small_model(d, items);
  const SparseRows histories =
      shaped_rows({0, 1, std::max(d - 1, 0), d, d + 1, dual, std::min(dual + 1, items), 20}, items, true, 8).by_customer;
  const auto on_cpu = cpu::make_cpu_backend(1);
  const auto on_device = make_cuda_backend(0);
  ASSERT_TRUE(on_device.ok()) << on_device.status();
  const Solved expected = solve(**on_cpu, model, histories), actual = solve(**on_device, model, histories);
  const auto size = static_cast<size_t>(d);
  for (size_t r = 0; r < static_cast<size_t>(histories.row_count()); ++r) {
    SCOPED_TRACE("history of " + std::to_string(histories.row_length(static_cast<int64_t>(r))));
    EXPECT_LE(relative_gap(&actual.profiles[r * size], &expected.profiles[r * size], size), 1e-5);
    EXPECT_LE(relative_gap(&actual.factors[r * size * size], &expected.factors[r * size * size], size * size), 1e-5);
  }
}

TEST(FoldInMemory, IsAllThereBeforeTheFirstBatch) {
  const Model model = small_model(33, 80);
  const auto backend = make_cuda_backend(0);
  const auto loaded = (*backend)->load(model);
  const auto profiler = (*loaded)->make_profiler({.max_batch = 40});
  ASSERT_TRUE(profiler.ok());
  const SparseRows histories = shaped_rows(std::vector<int32_t>(40, 70), 80, true).by_customer;
  std::vector<float> profiles(40 * 33), factors(40 * 33 * 33);
  const auto before = emulation::living();
  ASSERT_TRUE(
      (*profiler)
          ->solve({histories.offsets, histories.columns, histories.confidences, histories.targets}, {{profiles.data(), 40, 33}, factors})
          .ok());
  EXPECT_EQ(emulation::living(), before);
}

}  // namespace
}  // namespace bouquet::cuda
