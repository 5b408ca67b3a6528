// Attributes in requests, and explanations of answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>

#include "cpu_fallback/cpu_backend.h"
#include "server/bad_request.h"
#include "server/recommender.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::HasSubstr;

constexpr int32_t kDimension = kAttributedDimension;

class AskedWithAttributes : public ::testing::Test {
 protected:
  AskedWithAttributes() {
    auto served = ServedModel::load(std::make_shared<const Artifact>(attributed_shop()), *backend_);
    EXPECT_TRUE(served.ok()) << served.status();
    served_ = *served;
    recommender_ = *Recommender::make(*served_, 8);
  }

  absl::Status ask(const v1::RecommendRequest& request) {
    response_.Clear();
    return recommender_->recommend(request, &response_);
  }
  static v1::RecommendRequest of(const std::string& customer) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(5);
    return request;
  }

  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
  v1::RecommendResponse response_;
};

TEST_F(AskedWithAttributes, AStrangerGetsAPersonalAnswerFromThemAlone) {
  v1::RecommendRequest request = of("a stranger");
  ASSERT_TRUE(ask(request).ok());
  EXPECT_EQ(response_.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
  (*request.mutable_attributes())["country"].set_text("DE");
  ASSERT_TRUE(ask(request).ok());
  EXPECT_EQ(response_.results(0).source(), v1::SOURCE_MODEL);
  EXPECT_EQ(response_.attributes_used(), 1);
  EXPECT_EQ(response_.events_used(), 0);
  const float german = response_.results(0).score();
  (*request.mutable_attributes())["country"].set_text("a country of which nothing was known at training");
  ASSERT_TRUE(ask(request).ok());
  EXPECT_NE(response_.results(0).score(), german);
}

TEST_F(AskedWithAttributes, WhatIsSentTakesThePlaceOfWhatIsStored) {
  const std::string known(served_->artifact().customer_ids.id(0));
  v1::RecommendRequest as_stored = of(known), sent = of(known), other = of(known);
  (*as_stored.mutable_attributes())["age"].set_number(50);
  (*sent.mutable_attributes())["age"].set_number(50);
  (*sent.mutable_attributes())["country"].set_text("DE");
  (*other.mutable_attributes())["age"].set_number(20);
  ASSERT_TRUE(ask(as_stored).ok());
  const std::string expected = response_.results(0).DebugString();
  EXPECT_EQ(response_.attributes_used(), 2);
  ASSERT_TRUE(ask(sent).ok());
  EXPECT_EQ(response_.results(0).DebugString(), expected);
  ASSERT_TRUE(ask(other).ok());
  EXPECT_NE(response_.results(0).DebugString(), expected);
}

TEST_F(AskedWithAttributes, ContributionsAddUpToTheScore) {
  for (const v1::Explain how : {v1::EXPLAIN_TOP, v1::EXPLAIN_FULL}) {
    v1::RecommendRequest request = of(std::string(served_->artifact().customer_ids.id(0)));
    request.set_explain(how);
    ASSERT_TRUE(ask(request).ok());
    ASSERT_EQ(response_.results_size(), 5);
    for (const v1::RecommendedItem& row : response_.results()) {
      double sum = 0, size = 0, rounding = 0;
      for (const v1::Contribution& part : row.contributions()) {
        if (part.source() == v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) continue;
        sum += part.value();
        size += std::abs(part.value());
        if (part.source() == v1::CONTRIBUTION_SOURCE_ROUNDING) rounding = part.value();
      }
      EXPECT_NEAR(sum, double{row.score()}, 1e-9);
      EXPECT_LE(std::abs(rounding), 1e-4 * size);
      EXPECT_GT(row.contributions_size(), 3);
    }
  }
}

// Whatever share of alpha0 counts for somebody of whom nothing has been seen, contributions are those of the profile that ranked.
TEST_F(AskedWithAttributes, ContributionsOfAStrangerAddUpAtEveryShare) {
  std::set<float> best;
  for (const double share : {1.0, 0.1, 0.0}) {
    Artifact shop = attributed_shop();
    shop.model.constants.empty_history_share = share;
    served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(shop)), *backend_);
    recommender_ = *Recommender::make(*served_, 8);
    v1::RecommendRequest request = of("a stranger");
    (*request.mutable_attributes())["age"].set_number(25);
    request.set_explain(v1::EXPLAIN_FULL);
    ASSERT_TRUE(ask(request).ok());
    ASSERT_EQ(response_.results_size(), 5);
    best.insert(response_.results(0).score());
    for (const v1::RecommendedItem& row : response_.results()) {
      double sum = 0, size = 0, rounding = 0;
      for (const v1::Contribution& part : row.contributions()) {
        sum += part.value();
        size += std::abs(part.value());
        if (part.source() == v1::CONTRIBUTION_SOURCE_ROUNDING) rounding = part.value();
      }
      EXPECT_NEAR(sum, double{row.score()}, 1e-9);
      EXPECT_LE(std::abs(rounding), 1e-4 * size) << "share " << share;
    }
  }
  EXPECT_EQ(best.size(), 3u);
}

// Item 59 is one that nobody has taken, and is very like everything in the history.
TEST_F(AskedWithAttributes, AnItemThatNobodyHasTakenIsRankedByLikenessTooAndExplained) {
  Artifact shop = served_->artifact();
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  std::vector<float> likeness, spread(size_t{kDimension} * kDimension, 0);
  for (int32_t i = 0; i < 60; ++i) {
    if (i < 58) items.insert(items.end(), {58, 59}), likeness.insert(likeness.end(), {0.1f, 1.0f});
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
  for (size_t j = 0; j < kDimension; ++j) spread[j * kDimension + j] = 100;
  const size_t taken = static_cast<size_t>(shop.histories.offsets[1]);
  ASSERT_GT(taken, 1u);
  ASSERT_LT(shop.histories.items[static_cast<int64_t>(taken) - 1], 58);
  shop.content_links = {offsets, items, likeness, spread};
  ASSERT_TRUE(validate(shop).ok()) << validate(shop);
  served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(shop)), *backend_);
  recommender_ = *Recommender::make(*served_, 8);
  v1::RecommendRequest request = of(std::string(served_->artifact().customer_ids.id(0)));
  ASSERT_TRUE(ask(request).ok());
  EXPECT_EQ(response_.results(0).item_id(), "item59");  // by the stored profile
  request.set_explain(v1::EXPLAIN_FULL);
  ASSERT_TRUE(ask(request).ok());
  ASSERT_EQ(response_.results(0).item_id(), "item59");
  double sum = 0;
  size_t content = 0;
  for (const v1::Contribution& part : response_.results(0).contributions()) {
    if (part.source() == v1::CONTRIBUTION_SOURCE_CONTENT) ++content;
    if (part.source() != v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) sum += part.value();
  }
  EXPECT_EQ(content, taken);
  EXPECT_NEAR(sum, double{response_.results(0).score()}, 1e-9);
  request.add_exclude_item_ids("item59");
  ASSERT_TRUE(ask(request).ok());
  for (const v1::RecommendedItem& row : response_.results()) EXPECT_NE(row.item_id(), "item59");
}

TEST_F(AskedWithAttributes, AnUnknownNameIsRefusedWithTheNearest) {
  v1::RecommendRequest request = of("a stranger");
  (*request.mutable_attributes())["contry"].set_text("DE");
  const absl::Status status = ask(request);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message().data(), status.message().size()), HasSubstr("country"));
}

// Clients refuse an answer whose details and message are over 8 KiB, details in base 64 and bytes of messages three each at worst.
TEST_F(AskedWithAttributes, ThousandsOfUnknownNamesAreRefusedAtOnceAndInFewBytes) {
  v1::RecommendRequest request = of("a stranger");
  const auto letters = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "\u00e9";
    return text;
  };
  for (int i = 0; i < 4999; ++i) (*request.mutable_attributes())[letters(200) + std::to_string(i)].set_number(1);
  (*request.mutable_attributes())[letters(400000)].set_number(1);
  const auto begin = std::chrono::steady_clock::now();
  const absl::Status status = ask(request);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  ASSERT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message().data(), status.message().size()), HasSubstr("is no attribute"));
  // The details have the message again (server/status_mapping.cc), and some bytes for what is what.
  const size_t message = status.message().size(), details = status.GetPayload(kBadRequestType)->size() + message + 200;
  EXPECT_LT(message * 3 + details * 4 / 3, 8000u);
  EXPECT_GT(details, 1000u);
}

TEST_F(AskedWithAttributes, ANameThatTheTrainingLeftOutIsPassedOver) {
  Artifact shop = attributed_shop();
  shop.customer_attributes.left_out = {"shoe size", "zodiac"};
  served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(shop)), *backend_);
  recommender_ = *Recommender::make(*served_, 8);
  v1::RecommendRequest request = of("a stranger");
  (*request.mutable_attributes())["country"].set_text("DE");
  ASSERT_TRUE(ask(request).ok());
  const v1::RecommendResponse right = response_;
  (*request.mutable_attributes())["zodiac"].set_text("lion");
  ASSERT_TRUE(ask(request).ok());
  EXPECT_EQ(response_.attributes_used(), 1);
  EXPECT_EQ(response_.results(0).score(), right.results(0).score());
  v1::RecommendRequest nothing_else = of("a stranger");
  (*nothing_else.mutable_attributes())["zodiac"].set_text("lion");
  ASSERT_TRUE(ask(nothing_else).ok());
  EXPECT_EQ(response_.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
  (*request.mutable_attributes())["zodiak"].set_text("lion");
  EXPECT_TRUE(absl::IsInvalidArgument(ask(request)));
}

TEST_F(AskedWithAttributes, AModelThatLeftThemAllOutPassesOverThemAll) {
  Artifact shop = random_shop(20, 3, 4, 3).artifact();
  shop.customer_attributes.left_out = {"age", "country"};
  served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(shop)), *backend_);
  recommender_ = *Recommender::make(*served_, 8);
  v1::RecommendRequest request = of("customer1");
  (*request.mutable_attributes())["age"].set_number(30);
  EXPECT_TRUE(ask(request).ok());
  EXPECT_EQ(response_.attributes_used(), 0);
  (*request.mutable_attributes())["income"].set_number(30);
  EXPECT_TRUE(absl::IsInvalidArgument(ask(request)));
}

TEST_F(AskedWithAttributes, AValueOfAnotherTypeIsRefused) {
  v1::RecommendRequest request = of("a stranger");
  (*request.mutable_attributes())["age"].set_text("old");
  EXPECT_TRUE(absl::IsInvalidArgument(ask(request)));
}

}  // namespace
}  // namespace bouquet::server
