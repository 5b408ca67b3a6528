#include "training/metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace bouquet::training {
namespace {

TEST(ListMetrics, EqualHandComputedValues) {
  // Hits at ranks 1, 3 and 6 of an answer of 6; four relevant items.
  const std::vector<uint8_t> hits{1, 0, 1, 0, 0, 1};
  const auto at5 = list_metrics(hits, 5, 4);
  EXPECT_DOUBLE_EQ(at5[kRecall], 2.0 / 4);
  EXPECT_NEAR(at5[kNdcg], (1 + 0.5) / (1 + 0.6309297535714575 + 0.5 + 0.43067655807339306), 1e-12);
  EXPECT_DOUBLE_EQ(at5[kPrecision], 2.0 / 5);
  EXPECT_DOUBLE_EQ(at5[kMap], (1.0 + 2.0 / 3) / 4);
  EXPECT_DOUBLE_EQ(at5[kMrr], 1);
  EXPECT_DOUBLE_EQ(at5[kHitRate], 1);
  const auto at2 = list_metrics(hits, 2, 4);
  EXPECT_NEAR(at2[kNdcg], 1 / (1 + 0.6309297535714575), 1e-12);
  EXPECT_DOUBLE_EQ(at2[kMap], 1.0 / 2);
}

TEST(ListMetrics, FirstHitDecidesTheReciprocalRank) {
  EXPECT_DOUBLE_EQ(list_metrics(std::vector<uint8_t>{0, 0, 0, 1, 1}, 5, 2)[kMrr], 0.25);
}

TEST(ListMetrics, AnswerWithoutHitsOrRowsIsZeroEverywhere) {
  for (const auto& hits : {std::vector<uint8_t>{}, std::vector<uint8_t>{0, 0}})
    for (const double value : list_metrics(hits, 10, 3)) EXPECT_EQ(value, 0);
}

TEST(ListMetrics, PerfectAnswerIsOneAlsoWhenThereIsLessToFindThanK) {
  const auto m = list_metrics(std::vector<uint8_t>{1, 1, 0, 0}, 4, 2);
  EXPECT_DOUBLE_EQ(m[kRecall], 1);
  EXPECT_DOUBLE_EQ(m[kNdcg], 1);
  EXPECT_DOUBLE_EQ(m[kMap], 1);
  EXPECT_DOUBLE_EQ(m[kPrecision], 0.5);
}

TEST(MetricName, SaysMetricAndLength) { EXPECT_EQ(metric_name(kHitRate, 20), "hit_rate@20"); }

// The definitions again, written as naively as possible.
RC_GTEST_PROP(ListMetrics, EqualTheNaiveDefinitions, ()) {
  const auto answer = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 2));
  const int k = *rc::gen::inRange(1, 12);
  int hits_in_answer = 0;
  for (const int hit : answer) hits_in_answer += hit;
  const int relevant = std::max(1, hits_in_answer + *rc::gen::inRange(0, 5));
  const std::vector<uint8_t> hits(answer.begin(), answer.end());
  const auto m = list_metrics(hits, k, relevant);

  const auto hit_at = [&](int rank) { return rank <= static_cast<int>(answer.size()) && answer[static_cast<size_t>(rank - 1)] == 1; };
  double found = 0, dcg = 0, ideal = 0, precision_sum = 0, reciprocal = 0;
  for (int rank = k; rank >= 1; --rank) {
    if (rank <= relevant) ideal += std::log(2) / std::log(rank + 1);
    if (!hit_at(rank)) continue;
    found += 1;
    dcg += std::log(2) / std::log(rank + 1);
    reciprocal = 1.0 / rank;
    double upto = 0;
    for (int r = 1; r <= rank; ++r) upto += hit_at(r);
    precision_sum += upto / rank;
  }
  const auto near = [](double a, double b) { return std::fabs(a - b) < 1e-9; };
  RC_ASSERT(near(m[kRecall], found / relevant));
  RC_ASSERT(near(m[kNdcg], dcg / ideal));
  RC_ASSERT(near(m[kPrecision], found / k));
  RC_ASSERT(near(m[kMap], precision_sum / std::min(k, relevant)));
  RC_ASSERT(near(m[kMrr], reciprocal));
  RC_ASSERT(m[kHitRate] == (found > 0 ? 1 : 0));
}

}  // namespace
}  // namespace bouquet::training
