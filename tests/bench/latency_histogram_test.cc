#include "bench/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bouquet::bench {
namespace {

constexpr double kShares[] = {0, .001, .1, .5, .9, .99, .999, .9999, 1};

double exact_ms(std::vector<int64_t> sorted, double share) {
  const auto rank = static_cast<int64_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return 1e-6 * static_cast<double>(sorted[static_cast<size_t>(std::max<int64_t>(rank, 1) - 1)]);
}

void expect_close(const LatencyHistogram& histogram, std::vector<int64_t> values, const std::string& what) {
  std::ranges::sort(values);
  ASSERT_EQ(histogram.count(), static_cast<int64_t>(values.size()));
  for (const double share : kShares) {
    const double exact = exact_ms(values, share), found = histogram.quantile_ms(share);
    EXPECT_GE(found, exact * (1 - 1e-12)) << what << " at " << share;
    EXPECT_LE(found, exact * (1 + 1. / 256) + 1e-12) << what << " at " << share;
  }
}

TEST(LatencyHistogram, EveryQuantileIsWithinItsBoundOfTheExactOne) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> usual(13, 1.5);  // about half a millisecond, with a long tail
  std::exponential_distribution<double> waiting(1e-6);
  std::uniform_int_distribution<int64_t> anywhere(0, int64_t{1} << 41);
  std::vector<int64_t> bimodal, all_equal(1000, 123'456'789);
  for (int i = 0; i < 999; ++i) bimodal.push_back(i % 100 == 0 ? 250'000'000 : 90'000 + i);
  const auto drawn = [&](auto& distribution, int count) {
    std::vector<int64_t> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<int64_t>(distribution(random)));
    return values;
  };
  const std::pair<std::string, std::vector<int64_t>> cases[] = {{"usual", drawn(usual, 20'001)},
                                                                {"waiting", drawn(waiting, 10'000)},
                                                                {"anywhere", drawn(anywhere, 5'000)},
                                                                {"bimodal", bimodal},
                                                                {"all equal", all_equal},
                                                                {"one", {7}}};
  for (const auto& [what, values] : cases) {
    LatencyHistogram histogram;
    for (const int64_t value : values) histogram.record(value);
    expect_close(histogram, values, what);
  }
}

TEST(LatencyHistogram, AtEveryPowerOfTwoToo) {
  for (int bits = 0; bits < LatencyHistogram::kMostBits; ++bits)
    for (int64_t off = -1; off <= 1; ++off) {
      const int64_t value = std::max<int64_t>(0, (int64_t{1} << bits) + off);
      // A longer one, so that the quantile is its bucket's and not the longest value.
      LatencyHistogram histogram;
      histogram.record(value);
      histogram.record((int64_t{1} << LatencyHistogram::kMostBits) - 1);
      const double found = 1e6 * histogram.quantile_ms(.5);
      EXPECT_GE(found * (1 + 1e-12), static_cast<double>(value));
      EXPECT_LE(found * (1 - 1e-12), static_cast<double>(value) * (1 + 1. / 256));
    }
}

TEST(LatencyHistogram, OfThreadsAddedUpIsThatOfAll) {
  std::mt19937_64 random(2);
  std::exponential_distribution<double> waiting(1e-6);
  LatencyHistogram parts[3], sum;
  std::vector<int64_t> values;
  for (int i = 0; i < 9000; ++i) {
    values.push_back(static_cast<int64_t>(waiting(random)));
    parts[i % 3].record(values.back());
  }
  for (const LatencyHistogram& part : parts) sum.add(part);
  expect_close(sum, values, "sum");
}

TEST(LatencyHistogram, WhatIsOutOfItsRangeCountsAsTheEnd) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.quantile_ms(.99), 0);
  histogram.record(-5);
  EXPECT_EQ(histogram.quantile_ms(1), 0);
  histogram.record(INT64_MAX);
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_NEAR(histogram.quantile_ms(1), 1e-6 * std::pow(2., 42), 1);
}

}  // namespace
}  // namespace bouquet::bench
