#include "training/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/counter_random.h"

namespace bouquet::training {
namespace {

std::vector<float> normal_values(size_t count, uint64_t seed, double mean, double deviation) {
  std::vector<float> out(count);
  for (size_t i = 0; i < count; ++i) {
    double sum = -6;  // of twelve uniform numbers: nearly normal with deviation 1
    for (uint64_t j = 0; j < 12; ++j) sum += random_unit(seed, i * 12 + j);
    out[i] = static_cast<float>(mean + deviation * sum);
  }
  return out;
}

std::vector<Interval> intervals(const std::vector<std::vector<float>>& columns, const BootstrapOptions& options = {}) {
  std::vector<std::span<const float>> views(columns.begin(), columns.end());
  return bootstrap_means(views, options);
}

TEST(Bootstrap, ConstantColumnHasAPointInterval) {
  const auto out = intervals({std::vector<float>(1001, 0.25f)});
  EXPECT_DOUBLE_EQ(out[0].value, 0.25);
  EXPECT_NEAR(out[0].low, 0.25, 1e-7);
  EXPECT_NEAR(out[0].high, 0.25, 1e-7);
}

TEST(Bootstrap, IntervalOfAMeanHasTheWidthOfTheTheory) {
  const size_t n = 2501;
  const auto out = intervals({normal_values(n, 7, 3, 2)});
  const double error = 1.959964 * 2 / std::sqrt(static_cast<double>(n));
  EXPECT_NEAR(out[0].high - out[0].value, error, 0.15 * error);
  EXPECT_NEAR(out[0].value - out[0].low, error, 0.15 * error);
}

TEST(Bootstrap, CoversTheTruthInAboutNineteenOfTwentyRuns) {
  int covered = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    const auto out = intervals({normal_values(100, 1000 + run, 0, 1)}, {.resamples = 400, .seed = run});
    covered += out[0].low <= 0 && 0 <= out[0].high;
  }
  EXPECT_GE(covered, 178);
  EXPECT_LE(covered, 199);
}

TEST(Bootstrap, DifferencesArePaired) {
  // Two columns that vary a lot and differ by nearly nothing: the paired interval is narrow, the columns' own are not.
  const auto base = normal_values(1000, 1, 0.5, 0.3), noise = normal_values(1000, 2, 0.01, 0.01);
  std::vector<float> better(base);
  for (size_t i = 0; i < base.size(); ++i) better[i] += noise[i];
  const auto out = intervals({base, better, noise});
  EXPECT_GT(out[2].low, 0);
  EXPECT_LT(out[2].high - out[2].low, (out[0].high - out[0].low) / 10);
  EXPECT_NEAR(out[1].low - out[0].low, 0.01, 0.003);  // the same customers were drawn
}

TEST(Bootstrap, DependsOnTheSeedAndNotOnThreads) {
  const std::vector<std::vector<float>> columns{normal_values(333, 5, 0, 1)};
  const auto one = intervals(columns, {.resamples = 100, .seed = 9}),
             three = intervals(columns, {.resamples = 100, .seed = 9, .threads = 3});
  EXPECT_EQ(one[0].low, three[0].low);
  EXPECT_EQ(one[0].high, three[0].high);
  EXPECT_NE(one[0].low, intervals(columns, {.resamples = 100, .seed = 10})[0].low);
}

TEST(Bootstrap, NobodyToResampleGivesZeros) {
  const auto out = intervals({{}, {}});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].value, 0);
  EXPECT_EQ(out[1].high, 0);
}

}  // namespace
}  // namespace bouquet::training
