// How sure answers are: deviations, probabilities and exploration in Recommend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "cpu_fallback/cpu_backend.h"
#include "engine/score_variance.h"
#include "server/recommender.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDimension = kAttributedDimension;

// Knows its noise, and that half of the offered products of score 0 are taken and all but a tenth of those of score 10.
Artifact unsure_shop() {
  Artifact shop = attributed_shop();
  shop.uncertainty = some_uncertainty(shop.model);
  shop.calibration = {.horizon_days = 7, .length = 100, .maps = {{}}};
  shop.calibration.maps[0].kind = ItemKind::kProduct;
  shop.calibration.maps[0].scores = {0, 10};
  shop.calibration.maps[0].probabilities = {0.5, 0.9};
  return shop;
}

class AskedHowSure : public ::testing::Test {
 protected:
  explicit AskedHowSure(Artifact shop = unsure_shop()) {
    served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(shop)), *backend_);
    recommender_ = *Recommender::make(*served_, 8);
    request_.set_customer_id(std::string(served_->artifact().customer_ids.id(0)));
    request_.set_k(5);
    // What is stored of them, so that every answer is by the solved profile: the stored one of this shop is random.
    (*request_.mutable_attributes())["age"].set_number(50);
    (*request_.mutable_attributes())["country"].set_text("DE");
  }

  absl::Status ask() {
    response_.Clear();
    return recommender_->recommend(request_, &response_);
  }
  std::vector<std::string> offered() const {
    std::vector<std::string> ids;
    for (const auto& row : response_.results()) ids.push_back(row.item_id());
    return ids;
  }
  // Of the asker, solved apart.
  std::vector<double> deviations_of(const std::vector<int32_t>& items) {
    const Artifact& a = served_->artifact();
    auto profiler = *served_->profiles()->make_profiler({.max_batch = 1});
    const auto begin = static_cast<size_t>(a.histories.offsets[0]), size = static_cast<size_t>(a.histories.offsets[1]) - begin;
    const std::array<int64_t, 2> offsets{0, static_cast<int64_t>(size)};
    std::array<int64_t, 2> attribute_offsets{};
    std::vector<float> profile(kDimension), cholesky(kDimension * kDimension);
    HistoryBatch history{
        offsets, a.histories.items.view().subspan(begin, size), a.histories.confidences.view().subspan(begin, size), {}, {}};
    if (!a.histories.targets.empty()) history.targets = a.histories.targets.view().subspan(begin, size);
    history.attributes = a.customer_attributes.table.rows().one_row(0, attribute_offsets);
    EXPECT_TRUE(profiler->solve(history, {.profiles = {profile.data(), 1, kDimension}, .cholesky = cholesky}).ok());
    return score_deviations(a.model, a.uncertainty, {profile, cholesky}, items);
  }

  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
  v1::RecommendRequest request_;
  v1::RecommendResponse response_;
};

// They were observed of single customers with histories.
TEST_F(AskedHowSure, GroupsAndThoseWithoutAHistoryGetNoProbabilities) {
  request_.set_k(20);
  ASSERT_TRUE(ask().ok());
  ASSERT_EQ(response_.results(0).source(), v1::SOURCE_MODEL);
  EXPECT_TRUE(std::ranges::any_of(response_.results(), [](const v1::RecommendedItem& row) { return row.has_probability(); }));
  request_.set_customer_id("a stranger");  // of whom the attributes are known
  ASSERT_TRUE(ask().ok());
  ASSERT_EQ(response_.results(0).source(), v1::SOURCE_MODEL);
  for (const auto& row : response_.results()) EXPECT_FALSE(row.has_probability());
  request_.clear_customer_id();
  request_.clear_attributes();
  for (const int customer : {0, 1}) request_.mutable_group()->add_customer_ids(std::string(served_->artifact().customer_ids.id(customer)));
  ASSERT_TRUE(ask().ok());
  ASSERT_EQ(response_.results(0).source(), v1::SOURCE_MODEL);
  for (const auto& row : response_.results()) EXPECT_FALSE(row.has_probability());
}

TEST_F(AskedHowSure, RowsSayTheDeviationOfTheirScoreIfAsked) {
  ASSERT_TRUE(ask().ok());
  for (const auto& row : response_.results()) EXPECT_FALSE(row.has_stddev());
  const std::vector<std::string> plain = offered();
  request_.set_include_stddev(true);
  ASSERT_TRUE(ask().ok());
  EXPECT_EQ(offered(), plain);
  std::vector<int32_t> items;
  for (const auto& row : response_.results()) items.push_back(served_->artifact().item_ids.find(row.item_id()));
  const std::vector<double> expected = deviations_of(items);
  for (int i = 0; i < response_.results_size(); ++i) EXPECT_NEAR(response_.results(i).stddev(), expected[static_cast<size_t>(i)], 1e-6);
}

TEST_F(AskedHowSure, ProductsHaveTheProbabilityOfTheirScore) {
  request_.set_k(60);
  ASSERT_TRUE(ask().ok());
  int products = 0;
  for (const auto& row : response_.results()) {
    EXPECT_EQ(row.has_probability(), row.kind() == v1::ITEM_KIND_PRODUCT);
    if (!row.has_probability()) continue;
    ++products;
    EXPECT_NEAR(row.probability(), std::clamp(0.5 + 0.04 * double{row.score()}, 0.5, 0.9), 1e-9);
  }
  EXPECT_GT(products, 5);
  request_.set_customer_id("a stranger");
  request_.clear_attributes();
  ASSERT_TRUE(ask().ok());
  for (const auto& row : response_.results()) EXPECT_FALSE(row.has_probability());  // what is popular was not observed
}

TEST_F(AskedHowSure, ThompsonDrawsByItsSeedAndSaysIt) {
  request_.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_THOMPSON);
  request_.mutable_exploration()->set_seed(7);
  ASSERT_TRUE(ask().ok());
  const std::string first = response_.DebugString();
  EXPECT_EQ(response_.exploration().seed(), 7u);
  EXPECT_EQ(response_.exploration().scale(), 1);
  for (const auto& row : response_.results()) EXPECT_EQ(row.source(), v1::SOURCE_EXPLORATION);
  ASSERT_TRUE(ask().ok());
  EXPECT_EQ(response_.DebugString(), first);
  std::set<std::vector<std::string>> answers;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    request_.mutable_exploration()->set_seed(seed);
    ASSERT_TRUE(ask().ok());
    answers.insert(offered());
  }
  EXPECT_GT(answers.size(), 3u);
  // Without a seed the server draws one, and its answer can be had again.
  request_.mutable_exploration()->set_seed(0);
  ASSERT_TRUE(ask().ok());
  const auto again = response_.exploration().seed();
  const std::vector<std::string> drawn = offered();
  EXPECT_NE(again, 0u);
  request_.mutable_exploration()->set_seed(again);
  ASSERT_TRUE(ask().ok());
  EXPECT_EQ(offered(), drawn);
}

TEST_F(AskedHowSure, ASmallScaleHardlyExplores) {
  ASSERT_TRUE(ask().ok());
  const std::vector<std::string> plain = offered();
  for (const auto method : {v1::EXPLORATION_METHOD_THOMPSON, v1::EXPLORATION_METHOD_UCB}) {
    request_.mutable_exploration()->set_method(method);
    request_.mutable_exploration()->set_scale(1e-9);
    ASSERT_TRUE(ask().ok());
    EXPECT_EQ(offered(), plain);
  }
}

TEST_F(AskedHowSure, UpperBoundsRankByScoreAndDeviation) {
  request_.set_k(60);
  ASSERT_TRUE(ask().ok());
  std::vector<int32_t> items;
  std::vector<double> scores;
  for (const auto& row : response_.results()) {
    items.push_back(served_->artifact().item_ids.find(row.item_id()));
    scores.push_back(double{row.score()});
  }
  const std::vector<double> deviations = deviations_of(items);
  std::vector<std::pair<float, int32_t>> bounds;
  for (size_t i = 0; i < items.size(); ++i) bounds.emplace_back(static_cast<float>(scores[i] + 2 * deviations[i]), items[i]);
  std::sort(bounds.begin(), bounds.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  request_.set_k(5);
  request_.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_UCB);
  request_.mutable_exploration()->set_scale(2);
  ASSERT_TRUE(ask().ok());
  ASSERT_EQ(response_.results_size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(served_->artifact().item_ids.find(response_.results(i).item_id()), bounds[static_cast<size_t>(i)].second);
    EXPECT_NEAR(response_.results(i).score(), bounds[static_cast<size_t>(i)].first, 1e-5);
    EXPECT_EQ(response_.results(i).source(), v1::SOURCE_EXPLORATION);
  }
}

TEST_F(AskedHowSure, OfAStrangerNothingIsKnownAndNothingExplored) {
  request_.set_customer_id("a stranger");
  request_.clear_attributes();
  request_.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_UCB);
  request_.set_include_stddev(true);
  ASSERT_TRUE(ask().ok());
  EXPECT_FALSE(response_.has_exploration());
  EXPECT_EQ(response_.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
}

TEST_F(AskedHowSure, WhatCannotBeIsRefused) {
  request_.mutable_exploration()->set_scale(1);
  EXPECT_EQ(ask().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(ask().message()), HasSubstr("exploration.method"));
  request_.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_UCB);
  for (const double scale : {-1.0, 10.5, std::nan("")}) {
    request_.mutable_exploration()->set_scale(scale);
    EXPECT_THAT(std::string(ask().message()), HasSubstr("exploration.scale"));
  }
  request_.mutable_exploration()->set_scale(10);
  request_.set_explain(v1::EXPLAIN_TOP);
  EXPECT_THAT(std::string(ask().message()), HasSubstr("cannot be combined with explain"));
}

class AskedWithoutNoise : public AskedHowSure {
 protected:
  AskedWithoutNoise() : AskedHowSure(attributed_shop()) {}
};

TEST_F(AskedWithoutNoise, ModelsThatDoNotKnowTheirNoiseSaySo) {
  request_.set_include_stddev(true);
  EXPECT_EQ(ask().code(), absl::StatusCode::kFailedPrecondition);
  request_.set_include_stddev(false);
  request_.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_THOMPSON);
  EXPECT_THAT(std::string(ask().message()), HasSubstr("--validation"));
  request_.clear_exploration();
  EXPECT_TRUE(ask().ok());
}

}  // namespace
}  // namespace bouquet::server
