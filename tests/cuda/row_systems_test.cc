// The kernels that solve rows, by every way there is to solve one, against the normal equations in double. Few and short rows: these tests
// run under every sanitizer and are asked about each mutant (.ci/mutate_kernels).
#include "cuda/row_systems.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cuda/solve_rules.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda/solved_rows.h"

namespace bouquet::cuda {
namespace {

constexpr int32_t kFixed = 260;

// The edges of chunks of pairs, and of the dual's shapes at d.
SparseRows rows_at(int32_t d, bool with_targets = true) {
  const int32_t dual = longest_dual_row(d);
  std::vector<int32_t> lengths{33, 0, 1, 16, 17, 48, 0};
  if (dual > 0) lengths.insert(lengths.end(), {dual, dual + 1});
  if (d > kLargestTiledSystem) lengths = {dual, 17, kFixed - 1};         // dear
  if (d == 240) lengths.insert(lengths.end(), {64, 65, 128, 129, 177});  // of the dual's instances, the full ones too
  return shaped_rows(lengths, kFixed, with_targets, 5).by_customer;
}

// Every row that is not empty in three parts, as if they were long: the second part begins before and ends after an edge of chunks.
HalfStepPlan plan_in_parts(const SparseRows& rows, int32_t d) {
  HalfStepPlan plan = plan_half_step(rows.offsets, d, 0);
  const int32_t empty = plan.empty.count, count = rows.row_count() - empty;
  plan.dual = plan.direct = {empty, 0};
  plan.dual_groups.clear();
  plan.long_waves = {{{empty, count}, 0, 3 * count, 0}};
  for (int32_t i = 0; i < count; ++i) {
    const int32_t row = plan.rows[static_cast<size_t>(empty + i)];
    plan.first_slots.push_back(3 * i);
    for (int32_t p = 0; p < 3; ++p) {
      const int64_t begin = part_begin(rows.row_length(row), 3, p), end = part_begin(rows.row_length(row), 3, p + 1);
      plan.parts.push_back({row, 3 * i + p, rows.offsets[static_cast<size_t>(row)] + begin, static_cast<int32_t>(end - begin)});
    }
  }
  plan.slots = 3 * count;
  plan.first_slots.push_back(plan.slots);
  return plan;
}

bool all_untouched(std::span<const float> values) {
  return std::ranges::all_of(values, [](float x) { return std::isnan(x); });
}

class RowSystems : public testing::TestWithParam<int32_t> {
 protected:
  int32_t d() const { return GetParam(); }
  std::vector<float> fixed() const { return random_vectors(kFixed, d(), 17); }

  void expect_solved(const SolvedRows& found, const SparseRows& rows, const oracle::FixedSide& side) const {
    const auto stride = static_cast<size_t>(row_stride(d())), size = static_cast<size_t>(d());
    for (int32_t r = 0; r < rows.row_count(); ++r) {
      SCOPED_TRACE("row of " + std::to_string(rows.row_length(r)));
      const std::span<const float> at(&found.solved[static_cast<size_t>(r) * stride], stride);
      const auto equations = oracle::normal_equations(oracle::row_of(rows, r), side, RowsOnTheDevice::kSettings);
      EXPECT_LT(oracle::backward_error(equations, at.first(size)), 1e-6);
      EXPECT_TRUE(all_untouched(at.subspan(size)));
    }
    EXPECT_EQ(found.failed, kNoneFailed);
    EXPECT_TRUE(all_untouched(std::span(found.solved).last(stride)));
  }
};
INSTANTIATE_TEST_SUITE_P(Dimensions, RowSystems,
                         testing::ValuesIn(kSlowEmulation ? std::vector<int32_t>{6, 33, 250, 270}
                                                          : std::vector<int32_t>{6, 33, 64, 70, 130, 240, 250, 264, 300}),
                         [](const auto& tested) { return "d" + std::to_string(tested.param); });

TEST_P(RowSystems, AreSolvedByTheWayThatTheirLengthSays) {
  RowsOnTheDevice device(d(), fixed());
  const SparseRows rows = rows_at(d());
  EXPECT_EQ(device.source().has_basis(), longest_dual_row(d()) > 0);
  expect_solved(device.solve(rows, plan_half_step(rows.offsets, d(), 0)), rows, device.side());
}

TEST_P(RowSystems, AreSolvedOneAfterTheOtherByOneBlock) {
  if (d() <= kLargestTiledSystem) GTEST_SKIP() << "each row has a block of its own";
  RowsOnTheDevice device(d(), fixed());
  device.set_rows_at_once(1);
  const SparseRows rows = rows_at(d());
  expect_solved(device.factorize(rows), rows, device.side());  // every row directly
}

TEST_P(RowSystems, AreSolvedInParts) {
  RowsOnTheDevice device(d(), fixed());
  const SparseRows rows = rows_at(d());
  expect_solved(device.solve(rows, plan_in_parts(rows, d())), rows, device.side());
}

TEST_P(RowSystems, AreSolvedDirectlyWithTheirFactors) {
  RowsOnTheDevice device(d(), fixed());
  const SparseRows rows = rows_at(d(), false);
  const SolvedRows found = device.factorize(rows);
  expect_solved(found, rows, device.side());
  const auto n = static_cast<size_t>(d());
  for (size_t r = 0; r < static_cast<size_t>(rows.row_count()); ++r) {
    const auto w =
        oracle::normal_equations(oracle::row_of(rows, static_cast<int64_t>(r)), device.side(), RowsOnTheDevice::kSettings).matrix;
    const float* const l = &found.cholesky[r * n * n];
    double gap = 0, norm = 0, above = 0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        double product = 0;
        for (size_t k = 0; k < std::min(i, j) + 1; ++k) product += double{l[i * n + k]} * double{l[j * n + k]};
        gap += std::pow(product - w[i * n + j], 2);
        norm += std::pow(w[i * n + j], 2);
        if (j > i && l[i * n + j] != 0) ++above;
      }
    EXPECT_LE(std::sqrt(gap / norm), 1e-6);
    EXPECT_EQ(above, 0);
  }
  EXPECT_TRUE(std::isnan(found.cholesky.back()));
}

TEST_P(RowSystems, NameTheLowestThatFailsAndWriteNothingForIt) {
  RowsOnTheDevice device(d(), fixed());
  SparseRows rows = rows_at(d());
  const int32_t last = rows.row_count() - 1;
  for (const int32_t r : {0, last})
    for (int64_t k = rows.offsets[static_cast<size_t>(r)]; k < rows.offsets[static_cast<size_t>(r) + 1]; ++k)
      rows.confidences[static_cast<size_t>(k)] = std::numeric_limits<float>::infinity();
  const auto stride = static_cast<size_t>(row_stride(d()));
  for (const bool in_parts : {false, true}) {
    const SolvedRows found = device.solve(rows, in_parts ? plan_in_parts(rows, d()) : plan_half_step(rows.offsets, d(), 0));
    EXPECT_EQ(found.failed, 0);
    EXPECT_TRUE(all_untouched(std::span(found.solved).first(stride)));
    EXPECT_FALSE(all_untouched(std::span(found.solved).subspan(stride, stride)));
  }
}

TEST_P(RowSystems, AreSolvedDirectlyWhereThereIsNoBasis) {
  RowsOnTheDevice device(d(), fixed(), RowsOnTheDevice::kSettings, true);
  EXPECT_FALSE(device.source().has_basis());
  const SparseRows rows = rows_at(d());
  EXPECT_EQ(device.solve(rows, plan_half_step(rows.offsets, d(), 0)).failed, 0);
}

TEST_P(RowSystems, NeedNoRowThatIsSolvedDirectly) {
  RowsOnTheDevice device(d(), fixed());
  const SparseRows rows = shaped_rows({3, 2, 2}, kFixed, true).by_customer;
  expect_solved(device.solve(rows, plan_half_step(rows.offsets, d(), 0)), rows, device.side());
}

// Each block needs a factor's worth of memory.
TEST(LargeBlocks, AreNoMoreThanRowsAndFewerWhereRowsAreMany) {
  EXPECT_EQ(large_blocks(1), 1);
  EXPECT_EQ(large_blocks(100), 100);
  EXPECT_EQ(large_blocks(100'000), large_blocks(10'000));
}

// W = 4 times the identity but for its last element, which is 0: the last pivot, so that nothing else can notice.
TEST(Pivots, OfZeroFail) {
  for (const int32_t d : {4, 72}) {
    SparseRows row{.column_count = d - 1, .offsets = {0, d - 1}, .columns = {}, .confidences = {}, .targets = {}};
    std::vector<float> axes(static_cast<size_t>((d - 1) * d));
    for (int32_t i = 0; i < d - 1; ++i) {
      axes[static_cast<size_t>(i * d + i)] = 1;
      row.columns.push_back(i);
      row.confidences.push_back(4);
    }
    RowsOnTheDevice device(d, axes, {.alpha0 = 0, .lambda = 1e-60, .nu = 0});  // a ridge that no float holds
    EXPECT_EQ(device.factorize(row).failed, 0);
  }
}

TEST(Pivots, MayBeTheLargestFloat) {
  for (const int32_t d : {6, 70}) {
    constexpr double kLargest = std::numeric_limits<float>::max();
    RowsOnTheDevice device(d, std::vector<float>(static_cast<size_t>(d)), {.alpha0 = 0, .lambda = kLargest, .nu = 0});
    EXPECT_EQ(device.factorize(SparseRows{1, {0, 1}, {0}, {4}, {}}).failed, kNoneFailed);
  }
}

}  // namespace
}  // namespace bouquet::cuda
