#include "training/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/counter_random.h"

namespace bouquet::training {
namespace {

constexpr BootstrapOptions kBootstrap{.resamples = 400, .seed = 3, .threads = 1};

double known_probability(double score) { return 1 / (1 + std::exp(4 - 3 * score)); }

// 20 rows for each customer with scores in [0, 1), taken with a known probability.
std::vector<OfferedRow> offered(int32_t customers, double (*probability)(double)) {
  std::vector<OfferedRow> rows;
  for (int32_t c = 0; c < customers; ++c)
    for (uint64_t i = 0; i < 20; ++i) {
      const auto score = static_cast<float>(random_unit(1, static_cast<uint64_t>(c) * 20 + i));
      rows.push_back({c, score, random_unit(2, static_cast<uint64_t>(c) * 20 + i) < probability(double{score})});
    }
  return rows;
}

TEST(FitCalibration, FindsKnownProbabilities) {
  const CalibrationMap map = fit_calibration(offered(10000, known_probability), kBootstrap);
  ASSERT_FALSE(map.scores.empty());
  EXPECT_NEAR(static_cast<double>(map.rows), 100000, 3000);  // the half that was kept apart
  for (double score = 0.05; score < 1; score += 0.1) {
    const double expected = known_probability(score);
    EXPECT_NEAR(map.probability(static_cast<float>(score)), expected, 0.15 * expected) << score;
  }
  EXPECT_NEAR(map.slope, 1, 0.1);
  EXPECT_GT(map.skill_low, 0);
  EXPECT_NEAR(map.base_log_loss - map.log_loss, (map.skill_low + map.skill_high) / 2, 0.1 * (map.skill_high - map.skill_low) + 1e-4);
  // No map does better than the known probabilities themselves.
  double best = 0;
  constexpr int kSteps = 10000;
  for (int i = 0; i < kSteps; ++i) {
    const double p = known_probability((i + 0.5) / kSteps);
    best -= (p * std::log(p) + (1 - p) * std::log(1 - p)) / kSteps;
  }
  EXPECT_NEAR(map.log_loss, best, 0.01 * best);
}

TEST(FitCalibration, WhereScoresSayNothingThereIsNoSkill) {
  const CalibrationMap map = fit_calibration(offered(3000, [](double) { return 0.1; }), kBootstrap);
  ASSERT_FALSE(map.scores.empty());
  EXPECT_LT(map.skill_low, 0);
  EXPECT_NEAR(map.probability(0.1f), 0.1, 0.02);
  EXPECT_NEAR(map.probability(0.9f), 0.1, 0.02);
}

TEST(FitCalibration, EveryBinIsTakenAsOftenAsPredicted) {
  const auto rows = offered(10000, known_probability);
  const CalibrationMap map = fit_calibration(rows, kBootstrap);
  const auto bins = reliability(map, rows, kBootstrap.seed, 10);
  ASSERT_GE(bins.size(), 8u);
  int64_t count = 0;
  for (const ReliabilityBin& bin : bins) {
    count += bin.rows;
    const double deviation = std::sqrt(bin.predicted * (1 - bin.predicted) / static_cast<double>(bin.rows));
    EXPECT_NEAR(bin.taken, bin.predicted, 4 * deviation + 0.1 * bin.predicted);
  }
  EXPECT_EQ(count, map.rows);
}

TEST(FitCalibration, TooFewTakenRowsGiveNoMap) {
  EXPECT_TRUE(fit_calibration(offered(40, known_probability), kBootstrap).scores.empty());
  EXPECT_TRUE(fit_calibration({}, kBootstrap).scores.empty());
  EXPECT_TRUE(fit_calibration(offered(3000, [](double) { return 2.0; }), kBootstrap).scores.empty());  // all were taken
}

}  // namespace
}  // namespace bouquet::training
