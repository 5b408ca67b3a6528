// The sums of the attribute step against the sums as they are written, and its two ways of solving against each other.
#include "cuda/attribute_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/device.h"
#include "cuda/solve_rules.h"
#include "cuda/weighted_attributes.h"
#include "engine/errors.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/padded_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

std::vector<double> weights_of(int64_t rows) {
  std::vector<double> weights;
  for (int64_t r = 0; r < rows; ++r) weights.push_back(0.5 + static_cast<double>(r % 7));
  return weights;
}

struct Shape {
  int64_t rows;
  int32_t dense, sparse, d;
};

// So that AddressSanitizer sees who reads past the end.
AttributeTable without_room(AttributeTable table) {
  table.dense = std::vector<float>(table.dense.begin(), table.dense.end());
  return table;
}

// A side on the device, and what it was made of.
struct Side {
  explicit Side(const Shape& s, std::vector<double> with_weights = {})
      : shape(s),
        table(without_room(conformance::random_attributes(s.rows, {s.dense, s.sparse}))),
        weights(with_weights.empty() ? weights_of(s.rows) : std::move(with_weights)),
        vectors(random_rows(s.rows, s.d, 3)),
        arrays(table.rows(), stream),
        ridges(weights, stream),
        device_vectors(vectors, stream) {}

  WeightedSide view() const { return {table.rows(), weights, arrays.view(), ridges.data()}; }
  // Attribute at a position of the products: dense, intercept, sparse.
  double at(int64_t r, int64_t position) const {
    const AttributeRows rows = table.rows();
    if (position < rows.dense_count) return double{rows.dense_row(r)[static_cast<size_t>(position)]};
    if (position == rows.dense_count) return 1;
    const auto columns = rows.row_columns(r);
    const auto found = std::ranges::lower_bound(columns, static_cast<int32_t>(position - 1));
    if (found == columns.end() || *found != position - 1) return 0;
    return double{rows.row_values(r)[static_cast<size_t>(found - columns.begin())]};
  }

  Shape shape;
  Device device{0};
  Stream stream{device};
  AttributeTable table;
  std::vector<double> weights;
  std::vector<float> vectors;
  AttributeArrays arrays;
  DeviceArray<double> ridges;
  DeviceArray<float> device_vectors;
};

// [positions][rows], of those positions that occur.
std::vector<std::vector<std::pair<int64_t, double>>> by_position(const Side& side) {
  std::vector<std::vector<std::pair<int64_t, double>>> entries(static_cast<size_t>(side.table.column_count) + 1);
  for (size_t p = 0; p < entries.size(); ++p)
    for (int64_t r = 0; r < side.shape.rows; ++r)
      if (const double x = side.at(r, static_cast<int64_t>(p)); x != 0) entries[p].emplace_back(r, x);
  return entries;
}

class AttributeSums : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(Shapes, AttributeSums,
                         testing::Values(Shape{1, 1, 1, 1},          //
                                         Shape{40, 0, 3, 7},         // no dense columns but the intercept
                                         Shape{40, 4, 0, 130},       // no sparse ones; more columns than a block takes
                                         Shape{20000, 3, 12, 19},    // columns in several segments
                                         Shape{8000, 300, 4, 33},    // rows in several chunks
                                         Shape{30, 1500, 3, 1024}),  // a product that is not cut into partitions
                         [](const auto& tested) { return "Shape" + std::to_string(tested.index); });

TEST_P(AttributeSums, AreTheProductsAndTheGramMatrix) {
  const Side side(GetParam());
  const int32_t d = side.shape.d;
  const BlasHandle blas(side.stream);
  WeightedAttributes weighted(side.view(), d, true, side.stream);
  const int64_t n = weighted.size(), length = d + 3;
  DeviceArray<double> product(n * length, side.stream), gram(n * n, side.stream);
  constexpr double kUntouched = -77;  // what stands past the columns stays
  std::vector<double> products(static_cast<size_t>(n * length), kUntouched), grams(static_cast<size_t>(n * n));
  product.upload(products);
  weighted.products({side.device_vectors.data(), row_stride(d), d}, product.data(), length, blas, side.stream);
  weighted.gram(gram.data(), blas, side.stream);
  product.download(products);
  gram.download(grams);
  side.stream.synchronize();

  const auto entries = by_position(side);
  std::vector<double> sums(static_cast<size_t>(d));
  for (int64_t p = 0; p < n; ++p) {
    std::ranges::fill(sums, 0.0);
    for (const auto& [r, x] : entries[static_cast<size_t>(p)])
      for (int32_t j = 0; j < d; ++j)
        sums[static_cast<size_t>(j)] +=
            side.weights[static_cast<size_t>(r)] * x * double{side.vectors[static_cast<size_t>(r * row_stride(d) + j)]};
    for (int32_t j = 0; j < d; ++j)
      ASSERT_NEAR(products[static_cast<size_t>(p * length + j)], sums[static_cast<size_t>(j)], 1e-9 * static_cast<double>(side.shape.rows))
          << "position " << p << ", column " << j;
    for (int64_t j = d; j < length; ++j) ASSERT_EQ(products[static_cast<size_t>(p * length + j)], kUntouched) << "position " << p;
  }
  std::vector<double> column(static_cast<size_t>(side.shape.rows));
  for (int64_t p = 0; p < n; ++p) {
    std::ranges::fill(column, 0.0);
    for (const auto& [r, x] : entries[static_cast<size_t>(p)]) column[static_cast<size_t>(r)] = side.weights[static_cast<size_t>(r)] * x;
    for (int64_t q = 0; q <= p; ++q) {
      double sum = 0;
      for (const auto& [r, x] : entries[static_cast<size_t>(q)]) sum += column[static_cast<size_t>(r)] * x;
      ASSERT_NEAR(grams[static_cast<size_t>(p * n + q)], sum, 1e-9 * static_cast<double>(side.shape.rows)) << p << ", " << q;
    }
  }
}

// The map after two runs, the second from where the first ended.
absl::StatusOr<std::vector<float>> fit(const Side& side, int64_t direct_columns, double regularization = 3,
                                       int most_iterations = kMostFitIterations) {
  const int32_t d = side.shape.d;
  const BlasHandle blas(side.stream);
  const SolverHandle solver(side.stream);
  PriorMap map(side.table.column_count, d, side.stream);
  DeviceArray<float> means(side.shape.rows * row_stride(d), side.stream);
  std::vector<double> ridges(static_cast<size_t>(side.table.column_count), regularization);
  for (size_t f = 0; f < ridges.size(); f += 2) ridges[f] *= 40;  // no two neighbours have the same
  AttributeStep step(side.view(), ridges, {"customer", d, direct_columns, most_iterations}, solver, side.stream);
  for (int run = 0; run < 2; ++run)
    if (absl::Status s = step.run(side.device_vectors.data(), map, means.data(), {blas, solver, side.stream}); !s.ok()) return s;
  return map.table().to_host(side.stream);
}

// Relative to the norm of `right`, which is not zero.
double relative_gap(const std::vector<float>& found, const std::vector<float>& right) {
  double gap = 0, norm = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    gap += std::pow(double{found[i]} - double{right[i]}, 2);
    norm += std::pow(double{right[i]}, 2);
  }
  EXPECT_GT(norm, 0.001);
  return std::sqrt(gap / norm);
}

// Small: what mutants are asked. A column without anything to fit has converged before it begins, and has no step to take.
TEST(AttributeStepOnTheDevice, FindsTheSameMapOfFewRowsAndLeavesAColumnOfZerosAtZero) {
  Side side({120, 2, 5, 6});
  const auto stride = static_cast<size_t>(row_stride(6));
  for (size_t r = 0; r < 120; ++r) side.vectors[r * stride + 4] = 0;
  side.device_vectors.upload(side.vectors);
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_LT(relative_gap(*iterated, *direct), 1e-5);
  for (const std::vector<float>& map : {*direct, *iterated})
    for (size_t f = 0; f < 8; ++f) EXPECT_EQ(map[f * 6 + 4], 0);
}

TEST(AttributeStepOnTheDevice, FindsTheSameMapByConjugateGradients) {
  const Side side({3000, 20, 30, 19});
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_LT(relative_gap(*iterated, *direct), 1e-5);
}

TEST(AttributeStepOnTheDevice, HasTheSameBitsInAnotherOrderOfThreadsAndBlocks) {
  const char* const before = std::getenv("EMULATION_SEED");
  const std::string kept = before == nullptr ? "0" : before;
  for (const int64_t direct_columns : {kDirectAttributeColumns, int64_t{0}}) {
    std::vector<std::vector<float>> found;
    for (const char* seed : {"0", "5"}) {
      setenv("EMULATION_SEED", seed, 1);
      found.push_back(*fit(Side({2000, 3, 10, 7}), direct_columns));
    }
    EXPECT_EQ(found[0], found[1]);
  }
  setenv("EMULATION_SEED", kept.c_str(), 1);
}

TEST(AttributeStepOnTheDevice, LeavesNothingBehindWhenACallFails) {
  const auto fit_all = [](int64_t direct_columns) -> absl::Status {
    try {
      return fit(Side({10, 2, 3, 5}), direct_columns, 1000).status();  // few iterations
    } catch (const CudaError&) {
      return absl::AbortedError("");
    }
  };
  for (const int64_t direct_columns : {kDirectAttributeColumns, int64_t{0}}) {
    const auto first_call = emulation::calls_made();
    ASSERT_TRUE(fit_all(direct_columns).ok());
    const auto calls = emulation::calls_made() - first_call;
    ASSERT_GT(calls, 30);
    const auto living = emulation::living();
    int64_t failures = 0;
    for (int64_t n = 1; n <= calls; ++n) {
      emulation::fail_call(n, cudaErrorMemoryAllocation, emulation::Failing::kOnce);
      failures += fit_all(direct_columns).ok() ? 0 : 1;
      emulation::fail_call(0);
      ASSERT_EQ(emulation::living(), living) << "call " << n;
    }
    EXPECT_GT(failures, calls / 3);
  }
}

TEST(AttributeStepOnTheDevice, SaysWhereTheMatrixIsNotPositiveDefinite) {
  const Side side({10, 1, 2, 3}, std::vector<double>(10, 0.0));
  const auto map = fit(side, kDirectAttributeColumns);
  EXPECT_TRUE(absl::IsInternal(map.status())) << map.status();
  EXPECT_THAT(std::string(message_of(map.status())), testing::HasSubstr("--customer-attribute-regularization"));
}

// Short of kFitTolerance, but below kLeastFit.
TEST(AttributeStepOnTheDevice, TakesWhatTheIterationsHaveComeTo) {
  const Side side({120, 2, 5, 6});
  const auto direct = fit(side, kDirectAttributeColumns), iterated = fit(side, 0, 3, 4);
  ASSERT_TRUE(direct.ok() && iterated.ok()) << direct.status() << iterated.status();
  EXPECT_LT(relative_gap(*iterated, *direct), 0.02);
  EXPECT_GT(relative_gap(*iterated, *direct), 1e-6) << "they have got there: the test is too easy";
}

TEST(AttributeStepOnTheDevice, SaysThatConjugateGradientsDoNotConverge) {
  std::vector<double> weights(10, 1.0);
  weights[3] = -1e6;  // no longer positive definite
  const auto map = fit(Side({10, 3, 2, 3}, weights), 0, 1e-3, 30);
  EXPECT_TRUE(absl::IsInternal(map.status())) << map.status();
  EXPECT_THAT(std::string(message_of(map.status())), testing::HasSubstr("did not converge in 30 iterations"));
}

}  // namespace
}  // namespace bouquet::cuda
