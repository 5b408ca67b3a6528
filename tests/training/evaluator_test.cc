#include "training/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/counter_random.h"

namespace bouquet::training {
namespace {

using ::testing::HasSubstr;

// A world for judging alone: histories, tests and answers are given, nobody ranks.
struct World {
  std::vector<int64_t> history_offsets{0};
  std::vector<int32_t> history_items;
  std::vector<uint8_t> consumed;
  std::vector<float> repurchase;
  std::vector<int32_t> counts;
  TestSet tests;
  Popularity popularity;
  Knowledge known;

  void add(const std::set<int32_t>& history, const std::set<int32_t>& relevant, int32_t unknown = 0, bool known_customer = true) {
    for (const int32_t item : history) {
      history_items.push_back(item);
      consumed.push_back(1);
      repurchase.push_back(1);
      counts.push_back(1);
    }
    history_offsets.push_back(static_cast<int64_t>(history_items.size()));
    tests.customers.push_back(known_customer ? tests.size() : kNone);
    tests.relevant.insert(tests.relevant.end(), relevant.begin(), relevant.end());
    tests.offsets.push_back(static_cast<int64_t>(tests.relevant.size()));
    tests.unknown_relevant.push_back(unknown);
  }
  absl::StatusOr<Evaluation> judged(const std::vector<Subject>& subjects, Repeats repeats, int32_t item_count) {
    known.histories = {history_offsets, history_items, consumed, repurchase, counts};
    popularity = Popularity::of(count_item_customers(known.histories, item_count));
    known.popularity = &popularity;
    return judge(subjects, tests, known, repeats, {.resamples = 200});
  }
};

double value(const MetricTable& table, const std::string& name) {
  const Metric* metric = find_metric(table, name);
  EXPECT_NE(metric, nullptr) << name;
  return metric == nullptr ? NAN : metric->value;
}

TEST(Judge, ComputesTheMainRowAndTheRowWithUnknownOnes) {
  World world;
  world.add({0}, {0, 1, 2}, 1);  // with new items alone relevant are 1 and 2, and one that is unknown
  world.add({3}, {3});           // nothing new: left out
  world.add({}, {4}, 0, false);  // a stranger
  world.add({1}, {}, 2);         // only unknown items
  const std::vector<Subject> subjects{{kModelSubject, {{2}, {{1, 4, 0, 1, 4, kNone, 2, 3}}}},
                                      {kMostPopular, {{2}, {{4, 2, 0, 1, 0, 1, 2, 3}}}}};
  const auto out = world.judged(subjects, Repeats::kExclude, 5);
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->tables[0].customers, 1);
  EXPECT_NEAR(value(out->tables[0], "recall@2"), 1.0 / 2, 1e-6);
  EXPECT_NEAR(value(out->tables[0], "precision@2"), 1.0 / 2, 1e-6);
  EXPECT_NEAR(value(out->tables[1], "mrr@2"), 1.0 / 2, 1e-6);
  EXPECT_NEAR(value(out->differences[0], "mrr@2"), 1.0 / 2, 1e-6);
  EXPECT_EQ(out->differences[0].subject, kMostPopular);
  EXPECT_NEAR(value(out->tables[0], "coverage@2"), 2.0 / 5, 1e-9);
  EXPECT_EQ(out->with_unknown[0].customers, 3);
  EXPECT_NEAR(value(out->with_unknown[0], "recall@2"), (1.0 / 3 + 1 + 0) / 3, 1e-6);
  ASSERT_EQ(out->segments.size(), 1u);
  EXPECT_EQ(out->segments[0].least, 1);
  EXPECT_EQ(out->segments[0].most, 5);
}

TEST(Judge, RepeatsDecideWhatIsRelevant) {
  World world;
  world.add({0, 3}, {0, 1}, 1);
  const std::vector<Subject> subjects{{kModelSubject, {{1}, {{0}}}}};
  EXPECT_EQ(value(world.judged(subjects, Repeats::kExclude, 4)->tables[0], "recall@1"), 0);
  EXPECT_EQ(value(world.judged(subjects, Repeats::kInclude, 4)->tables[0], "recall@1"), 0.5);
  EXPECT_EQ(value(world.judged(subjects, Repeats::kOnly, 4)->tables[0], "recall@1"), 1);
  EXPECT_NEAR(value(world.judged(subjects, Repeats::kInclude, 4)->with_unknown[0], "recall@1"), 1.0 / 3, 1e-6);
  EXPECT_EQ(value(world.judged(subjects, Repeats::kOnly, 4)->with_unknown[0], "recall@1"), 1);
}

TEST(Judge, SaysSoWhenNobodyIsLeft) {
  World world;
  world.add({0}, {0});
  const auto out = world.judged({{kModelSubject, {{1}, {{1}}}}}, Repeats::kExclude, 4);
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("item that is new"));
}

TEST(Judge, IntervalOfTheDifferenceIsPaired) {
  World world;
  std::vector<int32_t> good, bad;
  for (int32_t t = 0; t < 400; ++t) {
    world.add({}, {t % 7});
    const bool easy = random_unit(5, static_cast<uint64_t>(t)) < 0.5;  // both hit the easy ones, the good one some more
    bad.push_back(easy ? t % 7 : 8);
    good.push_back(easy || t % 10 == 0 ? t % 7 : 8);
  }
  const auto out = world.judged({{kModelSubject, {{1}, {good}}}, {kMostPopular, {{1}, {bad}}}}, Repeats::kExclude, 9);
  const Metric difference = *find_metric(out->differences[0], "recall@1"), own = *find_metric(out->tables[0], "recall@1");
  EXPECT_GT(difference.low, 0);
  EXPECT_LT(difference.high - difference.low, own.high - own.low);
  EXPECT_NEAR(difference.value, own.value - find_metric(out->tables[1], "recall@1")->value, 1e-6);
}

TEST(MeanMetric, IsTheMainRowsValue) {
  World world;
  world.add({0}, {1, 2});
  world.add({1}, {2});
  const Answers answers{{2}, {{1, 3, 2, 3}}};
  const auto out = world.judged({{kModelSubject, answers}}, Repeats::kExclude, 4);
  EXPECT_NEAR(mean_metric(answers, 0, kRecall, world.tests, world.known, Repeats::kExclude), value(out->tables[0], "recall@2"), 1e-6);
  EXPECT_NEAR(mean_metric(answers, 0, kNdcg, world.tests, world.known, Repeats::kExclude), value(out->tables[0], "ndcg@2"), 1e-6);
}

// Recall and NDCG over whole test sets, again as naively as possible.
RC_GTEST_PROP(Judge, EqualsTheNaiveProtocol, ()) {
  World world;
  const int customers = *rc::gen::inRange(1, 8), k = *rc::gen::inRange(1, 6);
  const auto some_items = [] {
    const auto drawn = *rc::gen::container<std::vector<int32_t>>(rc::gen::inRange(0, 10));
    return std::set<int32_t>(drawn.begin(), drawn.end());
  };
  Answers answers{{k}, {{}}};
  double recall = 0, ndcg = 0;
  int counted = 0;
  for (int c = 0; c < customers; ++c) {
    const auto history = some_items(), relevant = some_items();
    world.add(history, relevant);
    std::vector<int32_t> answer;
    for (int32_t i = 0; i < 10; ++i)
      if (!history.count(i)) answer.push_back(i);
    std::sort(answer.begin(), answer.end(), [&](int32_t a, int32_t b) {
      return random_bits(static_cast<uint64_t>(c), static_cast<uint64_t>(a)) <
             random_bits(static_cast<uint64_t>(c), static_cast<uint64_t>(b));
    });
    answer.resize(static_cast<size_t>(k), kNone);
    answers.rows[0].insert(answers.rows[0].end(), answer.begin(), answer.end());
    std::set<int32_t> fresh;
    for (const int32_t i : relevant)
      if (!history.count(i)) fresh.insert(i);
    if (fresh.empty()) continue;
    ++counted;
    double hits = 0, gain = 0, ideal = 0;
    for (int r = 0; r < k; ++r) {
      if (answer[static_cast<size_t>(r)] != kNone && fresh.count(answer[static_cast<size_t>(r)])) hits += 1, gain += 1 / std::log2(r + 2.0);
      if (r < static_cast<int>(fresh.size())) ideal += 1 / std::log2(r + 2.0);
    }
    recall += hits / static_cast<double>(fresh.size());
    ndcg += gain / ideal;
  }
  RC_PRE(counted > 0);
  const auto out = world.judged({{kModelSubject, answers}}, Repeats::kExclude, 10);
  RC_ASSERT(out.ok());
  RC_ASSERT(out->tables[0].customers == counted);
  RC_ASSERT(std::fabs(value(out->tables[0], "recall@" + std::to_string(k)) - recall / counted) < 1e-6);
  RC_ASSERT(std::fabs(value(out->tables[0], "ndcg@" + std::to_string(k)) - ndcg / counted) < 1e-6);
}

}  // namespace
}  // namespace bouquet::training
