#include "server/recommender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/score.h"
#include "server/bad_request.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A recommender over a shop, on the reference backend.
class Answering : public ::testing::Test {
 protected:
  void open(const TinyShop& shop, int32_t max_batch = 64) {
    recommender_.reset();
    auto served = ServedModel::load(shop.shared(), *backend_);
    ASSERT_TRUE(served.ok()) << served.status();
    served_ = *served;
    auto recommender = Recommender::make(*served_, max_batch);
    ASSERT_TRUE(recommender.ok()) << recommender.status();
    recommender_ = *std::move(recommender);
  }

  v1::RecommendResponse recommend(const v1::RecommendRequest& request) {
    v1::RecommendResponse response;
    const absl::Status status = recommender_->recommend(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::RecommendResponse recommend(const std::string& customer, int k = 0) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(k);
    return recommend(request);
  }

  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
};

template <typename Rows>
std::vector<std::string> ids(const Rows& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(row.item_id());
  return out;
}

template <typename Response>
std::vector<int> shortfall(const Response& response) {
  return {response.shortfall().begin(), response.shortfall().end()};
}

// Four items on two axes; alice likes the first axis and has bought a0, bob is known only by a return.
TinyShop two_axes() {
  TinyShop shop;
  shop.items = {{.id = "a0", .vector = {4, 0}, .title = "First", .customers = 3},
                {.id = "a1", .vector = {2, 0}, .title = "Second", .customers = 9},
                {.id = "b0", .vector = {0, 3}, .kind = ItemKind::kContent, .customers = 9},
                {.id = "b1", .vector = {1, 1}, .kind = ItemKind::kAction, .customers = 1}};
  shop.customers = {{.id = "alice", .profile = {1, 0.5}, .history = {{.item = 0, .confidence = 2, .consumed = true, .repurchase = 2}}},
                    {.id = "bob", .profile = {0, 0}, .history = {{.item = 2, .confidence = 1, .target = 0}}}};
  return shop;
}

TEST_F(Answering, OffersTheBestOfWhatIsNew) {
  open(two_axes());
  const auto response = recommend("alice");
  EXPECT_THAT(ids(response.results()), ElementsAre("a1", "b0", "b1"));  // 2, 1.5, 1.5: equal scores by index
  EXPECT_EQ(response.results(0).score(), 2);
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_MODEL);
  EXPECT_EQ(response.results(0).title(), "Second");
  EXPECT_EQ(response.results(1).kind(), v1::ITEM_KIND_CONTENT);
  EXPECT_EQ(response.model_version(), "v1");
  EXPECT_EQ(response.backend(), "cpu");
  EXPECT_EQ(response.events_used(), 1);
  EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_SMALL_CATALOG, v1::SHORTFALL_FILTERED));
}

TEST_F(Answering, UnknownCustomersGetWhatMostBoughtAndTheAnswerSaysSo) {
  open(two_axes());
  const auto response = recommend("nobody", 3);
  EXPECT_THAT(ids(response.results()), ElementsAre("a1", "b0", "a0"));
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
  EXPECT_EQ(response.results(0).score(), 9);
  EXPECT_EQ(response.events_used(), 0);
  EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
}

TEST_F(Answering, AZeroProfileIsColdToo) {
  open(two_axes());
  const auto response = recommend("bob", 4);
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
  EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
}

TEST_F(Answering, ExclusionsAndKindsAreObeyedInEverySource) {
  open(two_axes());
  v1::RecommendRequest request;
  request.add_exclude_item_ids("a1");
  request.add_exclude_item_ids("no such item");
  request.add_kinds(v1::ITEM_KIND_PRODUCT);
  request.add_kinds(v1::ITEM_KIND_ACTION);
  request.set_k(2);
  request.set_customer_id("alice");
  auto response = recommend(request);
  EXPECT_THAT(ids(response.results()), ElementsAre("b1"));
  EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_FILTERED));
  request.set_customer_id("nobody");
  response = recommend(request);
  EXPECT_THAT(ids(response.results()), ElementsAre("a0", "b1"));
  request.set_customer_id("alice");
  request.set_include_purchased(true);
  request.add_exclude_item_ids("a0");
  EXPECT_THAT(ids(recommend(request).results()), ElementsAre("b1"));
}

TEST_F(Answering, EverythingFilteredIsAnEmptyAnswerThatSaysWhy) {
  open(two_axes());
  v1::RecommendRequest request;
  request.set_k(1);
  for (const char* id : {"a0", "a1", "b0", "b1"}) request.add_exclude_item_ids(id);
  for (const char* customer : {"alice", "nobody"}) {
    request.set_customer_id(customer);
    const auto response = recommend(request);
    EXPECT_EQ(response.results_size(), 0);
    EXPECT_EQ(response.shortfall(response.shortfall_size() - 1), v1::SHORTFALL_FILTERED);
  }
}

TEST_F(Answering, RepurchasesComeFirstWhenTheyAreWanted) {
  TinyShop shop = two_axes();
  shop.repurchase_share = 0.5;
  open(shop);
  v1::RecommendRequest request;
  request.set_customer_id("alice");
  request.set_k(3);
  request.set_include_purchased(true);
  const auto response = recommend(request);
  EXPECT_THAT(ids(response.results()), ElementsAre("a0", "a1", "b0"));
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_REPURCHASE);
  EXPECT_EQ(response.results(0).score(), 2);
  EXPECT_EQ(response.results(1).source(), v1::SOURCE_MODEL);
  EXPECT_TRUE(shortfall(response).empty());
}

TEST_F(Answering, RepurchasesSayHowOftenTheItemWasBought) {
  TinyShop shop = two_axes();
  shop.repurchase_share = 0.5;
  v1::RecommendRequest request;
  request.set_customer_id("alice");
  request.set_k(3);
  request.set_include_purchased(true);
  request.set_explain(v1::EXPLAIN_TOP);
  const auto first_row = [&] {
    open(shop);
    const auto response = recommend(request);
    EXPECT_EQ(response.results(0).source(), v1::SOURCE_REPURCHASE);
    EXPECT_EQ(response.results(0).contributions_size(), 1);
    EXPECT_EQ(response.results(0).contributions(0).source(), v1::CONTRIBUTION_SOURCE_EVENT);
    EXPECT_EQ(response.results(0).contributions(0).name(), "a0");
    EXPECT_EQ(response.results(0).contributions(0).value(), double{response.results(0).score()});
    return response.results(0);
  };
  EXPECT_THAT(first_row().reasons(), ElementsAre("bought 2 times"));
  shop.repurchase_half_life_days = 30;
  EXPECT_THAT(first_row().reasons(), ElementsAre("bought before: worth 2 purchases now, half as much every 30 days"));
  shop.repurchase_half_life_days = 0;
  shop.customers[0].history[0].repurchase = 1;
  EXPECT_THAT(first_row().reasons(), ElementsAre("bought before"));
}

TEST_F(Answering, ContextIsNeverOfferedAndMovesTheAnswer) {
  TinyShop shop = two_axes();
  shop.customers[0].history[0].confidence = 0.1f;  // as much as one view
  open(shop);
  v1::RecommendRequest request;
  request.set_customer_id("alice");
  request.add_context_item_ids("b0");
  const auto response = recommend(request);
  EXPECT_THAT(ids(response.results()), ElementsAre("b1", "a1"));
  EXPECT_EQ(response.events_used(), 2);
}

TEST_F(Answering, ContextAloneIsEnoughForAVisitor) {
  open(two_axes());
  v1::RecommendRequest request;
  request.mutable_visitor();
  request.add_context_item_ids("a0");
  request.set_k(1);
  const auto response = recommend(request);
  EXPECT_THAT(ids(response.results()), ElementsAre("a1"));
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_MODEL);
}

TEST_F(Answering, AVisitorIsServedAsTheSameHistoryWouldBe) {
  const TinyShop shop = random_shop(200, 1, 8, 1);
  open(shop);
  v1::RecommendRequest request;
  request.set_k(20);
  std::vector<Event> events;
  for (const int item : {3, 50, 3, 77}) {
    auto* event = request.mutable_visitor()->add_events();
    event->set_item_id("item" + std::to_string(item));
    event->set_value(2);
    events.push_back({.item = item, .time = served_->artifact().rules.reference_time, .value = 2, .type = 0});
  }
  request.mutable_visitor()->add_events()->set_item_id("an item that nobody sells");
  const auto response = recommend(request);
  std::vector<HistoryEntry> history;
  merge_events(events, served_->artifact().rules, history);
  auto fold_in = FoldInBatch::make(*served_->profiles(), 8, {}, {.max_batch = 1});
  ASSERT_TRUE(fold_in.ok());
  fold_in->add(history, {});
  fold_in->solve();
  ASSERT_TRUE(fold_in->status(0).ok());
  EXPECT_EQ(response.events_used(), 3);
  ASSERT_EQ(response.results_size(), 20);
  for (const auto& row : response.results()) {
    const int32_t item = served_->artifact().item_ids.find(row.item_id());
    EXPECT_EQ(row.score(), score(fold_in->profile(0).data(), served_->artifact().model.item_matrix().row(item).data(), 8));
    EXPECT_FALSE(item == 3 || item == 50 || item == 77);
  }
}

TEST_F(Answering, AVisitorWhoseEventsWeighTooMuchIsRefusedAndSpoilsNobodyElsesAnswer) {
  open(random_shop(60, 3, 8, 3));
  v1::RecommendRequest heavy, plain;
  for (const int item : {3, 9, 21, 33}) {
    auto* rated = heavy.mutable_visitor()->add_events();
    rated->set_item_id("item" + std::to_string(item));
    rated->set_type("rating");
    rated->set_value(3e38f);
    const v1::Event again = *rated;  // together more than a float can hold
    *heavy.mutable_visitor()->add_events() = again;
  }
  plain.mutable_visitor()->add_events()->set_item_id("item5");
  v1::RecommendResponse heavy_response, response;
  const std::vector<Question> questions = {Exchange<v1::RecommendRequest, v1::RecommendResponse>{&heavy, &heavy_response},
                                           Exchange<v1::RecommendRequest, v1::RecommendResponse>{&plain, &response}};
  std::vector<absl::Status> statuses(2);
  recommender_->answer(questions, statuses);
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(statuses[0].message()), HasSubstr("visitor.events"));
  EXPECT_TRUE(statuses[0].GetPayload(kBadRequestType).has_value());
  ASSERT_TRUE(statuses[1].ok()) << statuses[1];
  EXPECT_EQ(response.SerializeAsString(), recommend(plain).SerializeAsString());
}

TEST_F(Answering, AVisitorWhoReturnedEverythingIsOfferedItAgain) {
  open(two_axes());
  v1::RecommendRequest request;
  auto* bought = request.mutable_visitor()->add_events();
  bought->set_item_id("a0");
  auto* back = request.mutable_visitor()->add_events();
  back->set_item_id("a0");
  back->set_type("return");
  EXPECT_THAT(ids(recommend(request).results()), ::testing::Contains("a0"));
}

TEST_F(Answering, UnregisteredEventTypesAreRefusedByName) {
  open(two_axes());
  v1::RecommendRequest request;
  request.mutable_visitor()->add_events()->set_item_id("a0");
  auto* event = request.mutable_visitor()->add_events();
  event->set_item_id("a0");
  event->set_type("teleport");
  v1::RecommendResponse response;
  const absl::Status status = recommender_->recommend(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  google::rpc::BadRequest details;
  ASSERT_TRUE(details.ParseFromString(std::string(*status.GetPayload(kBadRequestType))));
  EXPECT_EQ(details.field_violations(0).field(), "visitor.events[1].type");
}

TEST_F(Answering, AgreesWithANaiveRankingForEveryCustomer) {
  const TinyShop shop = random_shop(300, 20, 16, 2);
  open(shop);
  const Model& model = served_->artifact().model;
  for (size_t c = 0; c < shop.customers.size(); ++c) {
    std::set<int> bought;
    for (const HistoryEntry& entry : shop.customers[c].history)
      if (entry.consumed) bought.insert(entry.item);
    std::vector<std::pair<float, int>> expected;
    for (int i = 0; i < 300; ++i)
      if (!bought.contains(i))
        expected.push_back({-score(model.profile_matrix().row(static_cast<int64_t>(c)).data(), model.item_matrix().row(i).data(), 16), i});
    std::sort(expected.begin(), expected.end());
    const auto response = recommend(shop.customers[c].id, 25);
    ASSERT_EQ(response.results_size(), 25);
    for (int r = 0; r < 25; ++r) {
      EXPECT_EQ(response.results(r).item_id(), "item" + std::to_string(expected[static_cast<size_t>(r)].second));
      EXPECT_EQ(response.results(r).score(), -expected[static_cast<size_t>(r)].first);
    }
  }
}

TEST_F(Answering, ABatchOfEverythingAnswersAsOneByOne) {
  TinyShop shop = random_shop(120, 10, 8, 3);
  for (int b = 0; b < 60; ++b) shop.baskets.push_back({b % 10, 10 + b % 5, 20 + b % 3});
  shop.repurchase_share = 0.3;
  open(shop);
  std::vector<v1::RecommendRequest> recommend_requests(12);
  for (int i = 0; i < 12; ++i) {
    auto& request = recommend_requests[static_cast<size_t>(i)];
    if (i % 4 == 3)
      request.mutable_visitor()->add_events()->set_item_id("item" + std::to_string(i));
    else
      request.set_customer_id("customer" + std::to_string(i));  // 10 and 11 are unknown
    if (i % 3 == 1) request.add_context_item_ids("item99");
    if (i % 2 == 1) request.add_kinds(i % 4 == 1 ? v1::ITEM_KIND_PRODUCT : v1::ITEM_KIND_ACTION);
    request.set_include_purchased(i % 5 == 0);
    request.set_k(1 + 3 * i);
  }
  v1::SimilarItemsRequest similar_request;
  similar_request.set_item_id("item5");
  v1::CrossSellRequest cross_sell_request;
  cross_sell_request.add_item_ids("item1");
  std::vector<v1::RecommendResponse> responses(12);
  v1::SimilarItemsResponse similar;
  v1::CrossSellResponse cross_sell;
  std::vector<Question> questions{Exchange<v1::SimilarItemsRequest, v1::SimilarItemsResponse>{&similar_request, &similar},
                                  Exchange<v1::CrossSellRequest, v1::CrossSellResponse>{&cross_sell_request, &cross_sell}};
  for (size_t i = 0; i < 12; ++i)
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&recommend_requests[i], &responses[i]});
  std::vector<absl::Status> statuses(questions.size());
  recommender_->answer(questions, statuses);
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(responses[i].SerializeAsString(), recommend(recommend_requests[i]).SerializeAsString()) << i;
  v1::SimilarItemsResponse similar_alone;
  ASSERT_TRUE(recommender_->similar_items(similar_request, &similar_alone).ok());
  EXPECT_EQ(similar.SerializeAsString(), similar_alone.SerializeAsString());
  v1::CrossSellResponse cross_sell_alone;
  ASSERT_TRUE(recommender_->cross_sell(cross_sell_request, &cross_sell_alone).ok());
  EXPECT_EQ(cross_sell.SerializeAsString(), cross_sell_alone.SerializeAsString());
}

TEST_F(Answering, AQuestionThatFailsLeavesTheOthersAlone) {
  open(two_axes());
  v1::SimilarItemsRequest unknown;
  unknown.set_item_id("a9");
  v1::RecommendRequest good;
  good.set_customer_id("alice");
  v1::SimilarItemsResponse similar;
  v1::RecommendResponse response;
  const std::vector<Question> questions{Exchange<v1::SimilarItemsRequest, v1::SimilarItemsResponse>{&unknown, &similar},
                                        Exchange<v1::RecommendRequest, v1::RecommendResponse>{&good, &response}};
  std::vector<absl::Status> statuses(2);
  recommender_->answer(questions, statuses);
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(statuses[1].ok());
  EXPECT_EQ(response.results_size(), 3);
}

TEST_F(Answering, AnEmptyCatalogAnswersWithNothing) {
  TinyShop shop;
  shop.dimension = 4;
  shop.customers = {{.id = "alice", .profile = {1, 2, 3, 4}}};
  open(shop);
  for (const char* customer : {"alice", "nobody"}) {
    const auto response = recommend(customer);
    EXPECT_EQ(response.results_size(), 0);
    EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER, v1::SHORTFALL_SMALL_CATALOG));
  }
  v1::SimilarItemsRequest request;
  request.set_item_id("a");
  v1::SimilarItemsResponse similar;
  EXPECT_EQ(recommender_->similar_items(request, &similar).code(), absl::StatusCode::kNotFound);
}

TEST_F(Answering, OneItemIsOfferedOnceAndThenNoMore) {
  TinyShop shop;
  shop.items = {{.id = "only", .vector = {1, 1}}};
  shop.customers = {{.id = "new", .profile = {1, 0}},
                    {.id = "has it", .profile = {1, 0}, .history = {{.item = 0, .confidence = 1, .consumed = true}}}};
  open(shop);
  EXPECT_THAT(ids(recommend("new").results()), ElementsAre("only"));
  EXPECT_EQ(recommend("has it").results_size(), 0);
  v1::SimilarItemsRequest request;
  request.set_item_id("only");
  v1::SimilarItemsResponse similar;
  ASSERT_TRUE(recommender_->similar_items(request, &similar).ok());
  EXPECT_EQ(similar.results_size(), 0);
}

TEST_F(Answering, SimilarItemsPointTheSameWayWhateverTheirLength) {
  open(two_axes());
  v1::SimilarItemsRequest request;
  request.set_item_id("a1");
  v1::SimilarItemsResponse response;
  ASSERT_TRUE(recommender_->similar_items(request, &response).ok());
  EXPECT_THAT(ids(response.results()), ElementsAre("a0", "b1", "b0"));
  EXPECT_FLOAT_EQ(response.results(0).score(), 1);
  EXPECT_FLOAT_EQ(response.results(1).score(), std::sqrt(0.5f));
  EXPECT_FLOAT_EQ(response.results(2).score(), 0);
  EXPECT_EQ(response.results(0).source(), v1::SOURCE_ITEM_SIMILARITY);
}

TEST_F(Answering, AnUnknownItemIsAnErrorThatNamesTheNearest) {
  open(two_axes());
  v1::SimilarItemsRequest request;
  request.set_item_id("a00");
  v1::SimilarItemsResponse response;
  const absl::Status status = recommender_->similar_items(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), HasSubstr("'a0'"));
  request.set_item_id("quite another");
  EXPECT_THAT(recommender_->similar_items(request, &response).ToString(), ::testing::Not(HasSubstr("nearest")));
}

// Five items; 0 and 1 are bought together four times, 0 and 2 three times, 0 and 3 twice.
TinyShop baskets() {
  TinyShop shop;
  for (int i = 0; i < 5; ++i) shop.items.push_back({.id = std::to_string(i), .vector = {1, static_cast<float>(i)}});
  shop.customers = {{.id = "c", .profile = {1, 1}}};
  shop.baskets = {{0, 1}, {0, 1}, {0, 1, 2}, {0, 1, 2}, {0, 2}, {0, 3}, {0, 3}, {1, 4}, {1, 4}, {1, 4}};
  return shop;
}

v1::CrossSellResponse cross_sell(Recommender& recommender, const v1::CrossSellRequest& request) {
  v1::CrossSellResponse response;
  const absl::Status status = recommender.cross_sell(request, &response);
  EXPECT_TRUE(status.ok()) << status;
  return response;
}

TEST_F(Answering, CrossSellCountsBaskets) {
  open(baskets());
  v1::CrossSellRequest request;
  request.add_item_ids("0");
  request.set_k(2);
  const auto response = cross_sell(*recommender_, request);
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).item().item_id(), "2");  // 3 / sqrt(7 * 3) against 4 / sqrt(7 * 7)
  EXPECT_FLOAT_EQ(response.results(0).item().score(), static_cast<float>(3 / std::sqrt(21.0)));
  EXPECT_EQ(response.results(0).item().source(), v1::SOURCE_CO_PURCHASE);
  const auto& row = response.results(1);
  EXPECT_EQ(row.item().item_id(), "1");
  EXPECT_EQ(row.because_item_id(), "0");
  EXPECT_EQ(row.common_baskets(), 4);
  EXPECT_DOUBLE_EQ(row.support(), 0.4);
  EXPECT_DOUBLE_EQ(row.confidence(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(row.lift(), 4.0 / 7 / 0.7);
  EXPECT_TRUE(shortfall(response).empty());
}

TEST_F(Answering, ABasketsItemsAddUp) {
  TinyShop shop = baskets();
  shop.baskets = {{0, 2}, {0, 2}, {0, 2}, {0, 3}, {0, 3}, {0, 3}, {1, 3}, {1, 3}, {1, 3}, {1, 3}};
  open(shop);
  v1::CrossSellRequest request;
  request.set_k(2);
  request.add_item_ids("0");
  EXPECT_EQ(cross_sell(*recommender_, request).results(0).item().item_id(), "2");  // 3 / sqrt(6 * 3) against 3 / sqrt(6 * 7)
  request.add_item_ids("1");
  request.add_item_ids("0");
  const auto response = cross_sell(*recommender_, request);
  EXPECT_EQ(response.results(0).item().item_id(), "3");
  EXPECT_FLOAT_EQ(response.results(0).item().score(), static_cast<float>(3 / std::sqrt(42.0) + 4 / std::sqrt(28.0)));
  EXPECT_EQ(response.results(0).because_item_id(), "1");  // confidence 1 against 1 / 2
  EXPECT_EQ(response.results(1).item().item_id(), "2");
}

TEST_F(Answering, CrossSellFallsBackToVectorsWhereCountsAreThin) {
  open(baskets());
  v1::CrossSellRequest request;
  request.add_item_ids("3");
  request.add_item_ids("gone");
  request.add_exclude_item_ids("1");
  request.set_k(2);
  const auto response = cross_sell(*recommender_, request);
  EXPECT_THAT(response.unknown_item_ids(), ElementsAre("gone"));
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).item().item_id(), "4");
  EXPECT_EQ(response.results(0).item().source(), v1::SOURCE_ITEM_SIMILARITY);
  EXPECT_EQ(response.results(1).item().item_id(), "2");
  EXPECT_THAT(shortfall(response), ElementsAre(v1::SHORTFALL_FEW_BASKETS));
}

TEST_F(Answering, CrossSellWithoutBasketsUsesVectors) {
  open(two_axes());
  v1::CrossSellRequest request;
  request.add_item_ids("a0");
  request.add_kinds(v1::ITEM_KIND_PRODUCT);
  const auto response = cross_sell(*recommender_, request);
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).item().item_id(), "a1");
  v1::CrossSellRequest unknown;
  unknown.add_item_ids("x");
  v1::CrossSellResponse none;
  EXPECT_EQ(recommender_->cross_sell(unknown, &none).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace bouquet::server
