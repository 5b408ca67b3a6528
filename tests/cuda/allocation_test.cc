// rank() and solve() allocate nothing once their objects are made: neither on the device nor, by operator new, on the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "cuda/cuda_backend.h"
#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/counted_new.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

// Host allocations of call(), which must leave as much device and pinned memory as there was.
template <typename Call>
int64_t allocations_of(const Call& call) {
  const auto before = emulation::living();
  start_counting_new();
  const absl::Status status = call();
  const int64_t allocations = stop_counting_new();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(emulation::living(), before);
  return allocations;
}

TEST(Allocations, AreCounted) {
  std::vector<int32_t> held;
  EXPECT_EQ(allocations_of([&] {
              held.resize(100);
              return absl::OkStatus();
            }),
            1);
}

TEST(Allocations, RankMakesNone) {
  constexpr int32_t kQueries = 20, kRows = 700, kLength = 10;
  const conformance::RankingData data = conformance::ranking_data(conformance::Hardness::kGaussian, kQueries, kRows, 9);
  const auto backend = make_cuda_backend(0);
  const auto model = (*backend)->load(conformance::ranking_model(data));
  const auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = kQueries, .max_k = kLength});
  ASSERT_TRUE(ranker.ok()) << ranker.status();
  std::vector<int32_t> asked(kQueries), rows(kQueries * kLength);
  std::iota(asked.begin(), asked.end(), 0);
  std::vector<float> scores(rows.size());
  const conformance::MixedRestrictions restrictions(kQueries, kRows, 3);
  QueryBatch restricted{.rows = asked, .k = kLength};
  restrictions.apply(restricted);
  const QueryBatch by_vector{.vectors = data.asking_matrix(), .k = kLength};
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(allocations_of([&] { return (*ranker)->rank(restricted, {rows, scores}); }), 0) << "round " << round;
    EXPECT_EQ(allocations_of([&] { return (*ranker)->rank(by_vector, {rows, scores}); }), 0) << "round " << round;
  }
}

// Every way of solving, batches of one piece and of several, with and without factors.
void expect_solving_makes_none(const conformance::AttributeShape& shape) {
  constexpr int32_t kDimension = 40, kItems = 400, kMostRows = 30;
  TrainingOptions options;
  options.dimension = kDimension;
  const auto backend = make_cuda_backend(0);
  Interactions shop = shaped_rows(std::vector<int32_t>(50, 20), kItems, false);
  const bool with_attributes = shape.dense + shape.sparse > 0;
  if (with_attributes) shop.customer_attributes = conformance::random_attributes(50, shape);
  const auto session = (*backend)->start_training(shop, options);
  ASSERT_TRUE(session.ok() && (*session)->run_epoch().ok());
  const auto model = (*backend)->load(*(*session)->snapshot());
  const auto profiler = (*model)->make_profiler({.max_batch = kMostRows});
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  std::vector<float> profiles(kMostRows * kDimension), factors(kMostRows * kDimension * kDimension);
  const auto solve = [&](const std::vector<int32_t>& lengths, bool with_factors) {
    const SparseRows rows = shaped_rows(lengths, kItems, true).by_customer;
    const auto n = static_cast<int64_t>(lengths.size());
    AttributeTable attributes;
    if (with_attributes) attributes = conformance::random_attributes(n, shape);
    const HistoryBatch histories{rows.offsets, rows.columns, rows.confidences, rows.targets, attributes.rows()};
    std::span<float> wanted = factors;
    wanted = wanted.first(with_factors ? static_cast<size_t>(n * kDimension * kDimension) : 0);
    EXPECT_EQ(allocations_of([&] { return (*profiler)->solve(histories, {{profiles.data(), n, kDimension}, wanted}); }), 0);
  };
  std::vector<int32_t> short_rows(kMostRows);
  std::iota(short_rows.begin(), short_rows.end(), 0);  // as many shapes of duals as there are
  solve({3, 60}, false);
  solve(short_rows, true);
  solve(std::vector<int32_t>(kMostRows, 390), true);  // does not fit in one piece
  solve({0}, false);
}

TEST(Allocations, SolveMakesNone) { expect_solving_makes_none({.dense = 0, .sparse = 0}); }

TEST(Allocations, SolveWithAPriorMakesNone) { expect_solving_makes_none({.dense = 3, .sparse = 40}); }

}  // namespace
}  // namespace bouquet::cuda
