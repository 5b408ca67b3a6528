// Training on the device against training on the CPU: the shapes at which the device's solvers change their ways.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "cuda/cuda_training.h"
#include "cuda/device.h"
#include "cuda/solve_rules.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/oracle/ials.h"
#include "tests/relative_gap.h"

namespace bouquet::cuda {
namespace {

TrainingOptions options_of(int32_t d) {
  TrainingOptions options;
  options.dimension = d;
  options.seed = 11;
  options.unobserved_weight = 0.3;
  options.regularization = 0.5;  // so that rounding errors, which every backend makes in another order, are not blown up
  options.regularization_exponent = 0.7;
  return options;
}

// The rows' lengths that matter at d, and some ordinary ones.
std::vector<int32_t> edge_lengths(int32_t d) {
  const int32_t dual = longest_dual_row(d);
  std::vector<int32_t> lengths{0, 1, 2, std::max(d - 1, 0), d, d + 1, dual, dual + 1, 17, 33, 65, 5};
  return lengths;
}

Model trained(TrainingSession& session, int epochs) {
  for (int e = 0; e < epochs; ++e) {
    const auto stats = session.run_epoch();
    EXPECT_TRUE(stats.ok()) << stats.status();
  }
  auto model = session.snapshot();
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

std::unique_ptr<TrainingSession> start(const Interactions& shop, const TrainingOptions& options) {
  auto session = start_cuda_training(shop, options, std::make_shared<const Device>(0));
  EXPECT_TRUE(session.ok()) << session.status();
  return *std::move(session);
}

class TrainingOnTheDevice : public testing::TestWithParam<int32_t> {};
INSTANTIATE_TEST_SUITE_P(Dimensions, TrainingOnTheDevice, testing::Values(1, 7, 31, 33, 64, 128, 200, 300));

TEST_P(TrainingOnTheDevice, GivesTheFactorsOfTheCpu) {
  const int32_t d = GetParam();
  for (const bool with_targets : {false, true}) {
    if (with_targets && d > 128) continue;  // nothing new there
    const Interactions shop = shaped_rows(edge_lengths(d), std::max(d + 40, 80), with_targets);
    const auto backend = cpu::make_cpu_backend(1);
    auto on_cpu = (*backend)->start_training(shop, options_of(d));
    ASSERT_TRUE(on_cpu.ok());
    const auto on_device = start(shop, options_of(d));
    Model expected = trained(**on_cpu, 1), actual = trained(*on_device, 1);
    EXPECT_LE(relative_gap(actual.profiles.view(), expected.profiles.view()), 1e-4);
    EXPECT_LE(relative_gap(actual.item_vectors.view(), expected.item_vectors.view()), 1e-4);
    if (d > 64) continue;  // slow there, and the same code
    expected = trained(**on_cpu, 4);
    actual = trained(*on_device, 4);
    EXPECT_LE(relative_gap(actual.profiles.view(), expected.profiles.view()), 1e-3);
    EXPECT_LE(relative_gap(actual.item_vectors.view(), expected.item_vectors.view()), 1e-3);
  }
}

TEST_P(TrainingOnTheDevice, SolvesTheNormalEquationsOfEveryRow) {
  const int32_t d = GetParam();
  const Interactions shop = shaped_rows(edge_lengths(d), std::max(d + 40, 80), d == 33);
  const TrainingOptions options = options_of(d);
  const auto session = start(shop, options);
  const Model model = trained(*session, 1);
  const oracle::FixedSide items(model.item_matrix());
  for (int32_t u = 0; u < shop.customer_count(); ++u) {
    const oracle::Row row = oracle::row_of(shop.by_customer, u);
    const auto equations =
        oracle::normal_equations(row, items, {options.unobserved_weight, options.regularization, options.regularization_exponent});
    EXPECT_LT(oracle::backward_error(equations, model.profile_matrix().row(u)), 2e-6) << "customer of " << row.columns.size() << " pairs";
  }
}

// Every way of solving takes its prior: with the vectors that two epochs give, the second with attribute steps.
TEST_P(TrainingOnTheDevice, GivesTheFactorsOfTheCpuWithAttributes) {
  const int32_t d = GetParam();
  if (kSlowEmulation && d > 128) return;
  Interactions shop = shaped_rows(edge_lengths(d), std::max(d + 40, 80), d == 33);
  shop.customer_attributes = conformance::random_attributes(shop.customer_count(), {.dense = 3, .sparse = 10});
  shop.item_attributes = conformance::random_attributes(shop.item_count(), {.dense = 2, .sparse = 20, .seed = 8});
  TrainingOptions options = options_of(d);
  options.attribute_warmup = 1;
  const auto backend = cpu::make_cpu_backend(1);
  auto on_cpu = (*backend)->start_training(shop, options);
  ASSERT_TRUE(on_cpu.ok());
  const auto on_device = start(shop, options);
  trained(**on_cpu, 1), trained(*on_device, 1);
  const auto of_cpu = (*on_cpu)->run_epoch(), of_device = on_device->run_epoch();
  ASSERT_TRUE(of_cpu.ok() && of_device.ok());
  EXPECT_NEAR(of_device->objective, of_cpu->objective, 1e-4 * of_cpu->objective);
  const auto expected = *(*on_cpu)->snapshot(), actual = *on_device->snapshot();
  EXPECT_LE(relative_gap(actual.profiles.view(), expected.profiles.view()), 1e-3);
  EXPECT_LE(relative_gap(actual.item_vectors.view(), expected.item_vectors.view()), 1e-3);
  EXPECT_LE(relative_gap(actual.customer_prior.map.view(), expected.customer_prior.map.view()), 1e-3);
  EXPECT_LE(relative_gap(actual.item_prior.map.view(), expected.item_prior.map.view()), 1e-3);
}

// The emulation draws the order of threads and blocks from its seed: no order may change a bit.
TEST(Determinism, AnotherOrderOfThreadsAndBlocksGivesTheSameBits) {
  const char* const before = std::getenv("EMULATION_SEED");
  const std::string kept = before == nullptr ? "0" : before;
  for (const int32_t d : {33, 300}) {
    const Interactions shop = shaped_rows(edge_lengths(d), d + 40, true);
    std::vector<float> profiles;
    double objective = 0;
    for (const char* seed : {"0", "5"}) {
      setenv("EMULATION_SEED", seed, 1);
      const auto session = start(shop, options_of(d));
      const auto stats = session->run_epoch();
      ASSERT_TRUE(stats.ok()) << stats.status();
      const auto model = session->snapshot();
      const std::vector<float> found(model->profiles.view().begin(), model->profiles.view().end());
      if (profiles.empty()) {
        profiles = found;
        objective = stats->objective;
      }
      EXPECT_EQ(profiles, found) << "d = " << d;
      EXPECT_EQ(objective, stats->objective) << "d = " << d;
    }
  }
  setenv("EMULATION_SEED", kept.c_str(), 1);
}

void expect_long_row_solved(const Interactions& shop, const TrainingOptions& options, int epochs) {
  const auto session = start(shop, options);
  const Model model = trained(*session, epochs);
  const oracle::FixedSide fixed(model.item_matrix());
  std::vector<double> mean;
  if (const int32_t columns = model.customer_prior.column_count(options.dimension); columns > 0)
    mean = oracle::prior_mean(shop.customer_attributes.rows(), 0, {model.customer_prior.map.data(), columns + 1, options.dimension});
  const auto equations =
      oracle::normal_equations(oracle::row_of(shop.by_customer, 0), fixed,
                               {options.unobserved_weight, options.regularization, options.regularization_exponent}, mean);
  EXPECT_LT(oracle::backward_error(equations, model.profile_matrix().row(0)), 2e-6);
}

// One customer has so many items that the row is summed in parts, at small systems, at the largest tiles and at one that lies in global
// memory.
TEST(LongRows, AreSolvedInParts) {
  for (const int32_t d : {7, 33, 256, 270}) {
    if (kSlowEmulation && d != 7) continue;
    SCOPED_TRACE("d = " + std::to_string(d));
    const auto items = static_cast<int32_t>(kLongRow) + 700;
    ASSERT_GT(part_count(items), 1);
    expect_long_row_solved(shaped_rows({items - 1, 3, 40}, items, true), options_of(d), 1);
  }
}

TEST(LongRows, AreSolvedInPartsWithAPrior) {
  for (const int32_t d : {7, 270}) {
    if (kSlowEmulation && d != 7) continue;
    SCOPED_TRACE("d = " + std::to_string(d));
    const auto items = static_cast<int32_t>(kLongRow) + 700;
    Interactions shop = shaped_rows({items - 1, 3, 40}, items, true);
    shop.customer_attributes = conformance::random_attributes(3, {.dense = 2, .sparse = 3});
    TrainingOptions options = options_of(d);
    options.attribute_warmup = 1;
    options.regularization = 50;  // so that the prior has a say
    expect_long_row_solved(shop, options, 2);
  }
}

}  // namespace
}  // namespace bouquet::cuda
