// Fold-in on the device against fold-in on the CPU, at dimensions and lengths where the solvers change their ways.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cuda/solve_rules.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/oracle/ials.h"
#include "tests/relative_gap.h"

namespace bouquet::cuda {
namespace {

// A model with the vectors of a short training, so that their scale is a real one; with priors where there are attributes.
Model small_model(int32_t d, int32_t items, const conformance::AttributeShape& attributes = {.dense = 0, .sparse = 0},
                  double regularization = 2) {
  TrainingOptions options;
  options.dimension = d;
  options.unobserved_weight = 0.2;
  options.regularization = regularization;
  options.regularization_exponent = 0.5;
  options.attribute_warmup = 1;
  Interactions shop = shaped_rows(std::vector<int32_t>(60, 30), items, false);
  if (attributes.dense + attributes.sparse > 0) {
    shop.customer_attributes = conformance::random_attributes(60, attributes);
    shop.item_attributes = conformance::random_attributes(items, attributes);
  }
  const auto backend = cpu::make_cpu_backend(1);
  auto session = (*backend)->start_training(shop, options);
  EXPECT_TRUE(session.ok() && (*session)->run_epoch().ok() && (*session)->run_epoch().ok());
  return *(*session)->snapshot();
}

struct Solved {
  std::vector<float> profiles, factors;
};

Solved solve(Backend& backend, const Model& model, const SparseRows& histories, const AttributeRows& attributes = {},
             Side solved = Side::kCustomers) {
  const auto n = static_cast<size_t>(histories.row_count()), d = static_cast<size_t>(model.dimension);
  Solved out{std::vector<float>(n * d), std::vector<float>(n * d * d)};
  auto loaded = backend.load(model);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = static_cast<int32_t>(n), .solved = solved});
  EXPECT_TRUE(profiler.ok()) << profiler.status();
  const absl::Status s = (*profiler)->solve({histories.offsets, histories.columns, histories.confidences, histories.targets, attributes},
                                            {{out.profiles.data(), static_cast<int64_t>(n), model.dimension}, out.factors});
  EXPECT_TRUE(s.ok()) << s;
  return out;
}

void expect_as_on_the_cpu(const Model& model, const SparseRows& histories, const AttributeRows& attributes, Side solved) {
  const auto on_cpu = cpu::make_cpu_backend(1);
  const auto on_device = make_cuda_backend(0);
  ASSERT_TRUE(on_device.ok()) << on_device.status();
  const Solved expected = solve(**on_cpu, model, histories, attributes, solved);
  const Solved actual = solve(**on_device, model, histories, attributes, solved);
  const auto size = static_cast<size_t>(model.dimension);
  for (size_t r = 0; r < static_cast<size_t>(histories.row_count()); ++r) {
    SCOPED_TRACE("history of " + std::to_string(histories.row_length(static_cast<int64_t>(r))));
    const auto gap = [&](const std::vector<float>& found, const std::vector<float>& right, size_t count) {
      const auto row = std::span(found).subspan(r * count, count), exact = std::span(right).subspan(r * count, count);
      return squared_norm(exact) == 0 ? std::sqrt(squared_norm(row)) : relative_gap(row, exact);
    };
    EXPECT_LE(gap(actual.profiles, expected.profiles, size), 1e-5);
    EXPECT_LE(gap(actual.factors, expected.factors, size * size), 1e-5);
  }
}

class FoldInOnTheDevice : public testing::TestWithParam<int32_t> {};
INSTANTIATE_TEST_SUITE_P(Dimensions, FoldInOnTheDevice, testing::Values(1, 7, 31, 33, 64, 128, 200, 256, 300));

TEST_P(FoldInOnTheDevice, GivesTheProfilesAndFactorsOfTheCpu) {
  const int32_t d = GetParam(), items = std::max(d + 40, 80), dual = longest_dual_row(d);
  const Model model = small_model(d, items);
  const SparseRows histories =
      shaped_rows({0, 1, std::max(d - 1, 0), d, d + 1, dual, std::min(dual + 1, items), 20}, items, true, 8).by_customer;
  expect_as_on_the_cpu(model, histories, {}, Side::kCustomers);
}

// With the regularization of a default training systems are so badly conditioned that two solutions in float differ by up to 2e-3: both
// solve their equations.
TEST_P(FoldInOnTheDevice, SolvesItsEquationsWithTheRegularizationOfADefaultTraining) {
  const int32_t d = GetParam(), items = std::max(d + 40, 80);
  const Model model = small_model(d, items, {.dense = 0, .sparse = 0}, TrainingOptions().regularization);
  const SparseRows histories = shaped_rows({1, std::max(d - 1, 0), d, d + 1, items, 20}, items, true, 8).by_customer;
  const auto on_device = make_cuda_backend(0);
  ASSERT_TRUE(on_device.ok()) << on_device.status();
  const auto on_cpu = cpu::make_cpu_backend(1);
  const oracle::FixedSide side(model.item_matrix());
  const ModelConstants& c = model.constants;
  for (Backend* backend : {on_device->get(), on_cpu->get()}) {
    const Solved solved = solve(*backend, model, histories);
    for (int32_t r = 0; r < histories.row_count(); ++r) {
      const auto equations =
          oracle::normal_equations(oracle::row_of(histories, r), side, {c.unobserved_weight, c.regularization, c.regularization_exponent});
      const auto row = std::span(solved.profiles).subspan(static_cast<size_t>(r * d), static_cast<size_t>(d));
      EXPECT_LT(oracle::backward_error(equations, row), 2e-6) << backend->name() << ", history of " << histories.row_length(r);
    }
  }
}

// A training would solve it in parts, fold-in in one block.
TEST(FoldInOfALongHistory, GivesTheProfileOfTheCpu) {
  constexpr int32_t kItems = 9000;
  for (const int32_t d : {16, 40})
    expect_as_on_the_cpu(small_model(d, kItems), shaped_rows({8193, kItems, 3}, kItems, true, 8).by_customer, {}, Side::kCustomers);
}

TEST_P(FoldInOnTheDevice, GivesThoseOfTheCpuWithAPrior) {
  const int32_t d = GetParam(), items = std::max(d + 40, 80), dual = longest_dual_row(d);
  const conformance::AttributeShape shape{.dense = 70, .sparse = 20};  // more dense columns than a block takes at a time
  const Model model = small_model(d, items, shape);
  // The last is a direct system: what it reads past its mean is past the table of means.
  const std::vector<int32_t> lengths{0, 1, std::max(d - 1, 0), d, dual, std::min(dual + 1, items), 20, 0, 3, d + 1};
  const SparseRows histories = shaped_rows(lengths, items, true, 8).by_customer;
  const AttributeTable attributes = conformance::random_attributes(histories.row_count(), {shape.dense, shape.sparse, 31});
  expect_as_on_the_cpu(model, histories, attributes.rows(), Side::kCustomers);
  // Items from their customers, of whom there are 60.
  const SparseRows takers = shaped_rows({0, 1, std::min(dual, 60), 60, 20, 0, 7}, 60, true, 9).by_customer;
  const AttributeTable of_items = conformance::random_attributes(takers.row_count(), {shape.dense, shape.sparse, 32});
  expect_as_on_the_cpu(model, takers, of_items.rows(), Side::kItems);
}

// One row has more sparse entries than the others of the batch leave room for, so that it goes in several pieces.
TEST(FoldInInPieces, WithAttributesGivesTheProfilesOfTheCpu) {
  const conformance::AttributeShape shape{.dense = 1, .sparse = 900};
  const Model model = small_model(33, 80, shape);
  const SparseRows histories = shaped_rows({5, 0, 7}, 80, true, 8).by_customer;
  AttributeTable full = conformance::random_attributes(3, {.dense = 1, .sparse = 900});
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  for (int r = 0; r < 3; ++r) {
    for (int32_t c = 0; c < 900; c += 2) columns.push_back(1 + c);
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  full.values = std::vector<float>(columns.size(), 0.25f);
  full.columns = columns;
  full.offsets = offsets;
  expect_as_on_the_cpu(model, histories, full.rows(), Side::kCustomers);
}

}  // namespace
}  // namespace bouquet::cuda
