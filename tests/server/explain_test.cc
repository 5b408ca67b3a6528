// Why: the Explain method, and reasons beside similar items and cross-sell, over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "engine/catalog_columns_builder.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExplainTest : public TestServer {
 protected:
  grpc::Status explain(const v1::ExplainRequest& request) { return call_method(&v1::Recommendations::Stub::Explain, request, &explained_); }
  grpc::Status recommend(const v1::RecommendRequest& request) {
    return call_method(&v1::Recommendations::Stub::Recommend, request, &recommended_);
  }

  v1::ExplainResponse explained_;
  v1::RecommendResponse recommended_;
};

TEST_F(ExplainTest, RowsAreThoseThatRecommendExplainsAndAddUp) {
  publish(attributed_shop());
  start(options());
  for (const char* customer : {"customer0", "customer1", "a stranger"})
    for (const v1::Explain how : {v1::EXPLAIN_TOP, v1::EXPLAIN_FULL}) {
      v1::RecommendRequest request;
      request.set_customer_id(customer);
      request.set_k(1000);
      request.set_explain(how);
      request.add_context_item_ids("item8");
      (*request.mutable_attributes())["country"].set_text("DE");
      ASSERT_TRUE(recommend(request).ok());
      ASSERT_GT(recommended_.results_size(), 30);
      v1::ExplainRequest why;
      why.set_customer_id(customer);
      why.set_explain(how);
      why.add_context_item_ids("item8");
      (*why.mutable_attributes())["country"].set_text("DE");
      for (const auto& row : recommended_.results()) why.add_item_ids(row.item_id());
      ASSERT_TRUE(explain(why).ok());
      ASSERT_EQ(explained_.results_size(), recommended_.results_size());
      EXPECT_EQ(explained_.events_used(), recommended_.events_used());
      EXPECT_EQ(explained_.attributes_used(), recommended_.attributes_used());
      EXPECT_EQ(explained_.model_version(), recommended_.model_version());
      EXPECT_EQ(explained_.not_offered_item_ids_size(), 0);
      for (int i = 0; i < explained_.results_size(); ++i) {
        EXPECT_EQ(explained_.results(i).DebugString(), recommended_.results(i).DebugString());
        double sum = 0;
        for (const v1::Contribution& part : explained_.results(i).contributions())
          if (part.source() != v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) sum += part.value();
        EXPECT_NEAR(sum, double{explained_.results(i).score()}, 1e-9);
      }
    }
}

TEST_F(ExplainTest, WhatWouldNotBeOfferedIsExplainedAndNamed) {
  Artifact shop = attributed_shop();
  CatalogColumnsBuilder columns;
  std::vector<double> stock(60, 1);
  stock[59] = 0;
  columns.add_numbers("stock", stock);
  shop.catalog.columns = columns.finish();
  publish(std::move(shop));
  start(options());
  v1::ExplainRequest why;
  why.set_customer_id("customer0");  // whose history is items 0, 7, 14 ..., the even ones bought
  why.add_context_item_ids("item3");
  for (const char* id : {"item59", "no such item", "item14", "item7", "item3", "item1"}) why.add_item_ids(id);
  ASSERT_TRUE(explain(why).ok());
  std::vector<std::string> order;
  for (const auto& row : explained_.results()) {
    order.push_back(row.item_id());
    EXPECT_EQ(row.source(), v1::SOURCE_MODEL);
    EXPECT_GT(row.contributions_size(), 5);  // top: five and others, intercept, rounding
  }
  EXPECT_THAT(order, ElementsAre("item59", "item14", "item7", "item3", "item1"));
  EXPECT_THAT(explained_.unknown_item_ids(), ElementsAre("no such item"));
  EXPECT_THAT(explained_.not_offered_item_ids(), ElementsAre("item59", "item14", "item3"));
}

TEST_F(ExplainTest, OfSomebodyOfWhomNothingIsKnownItSaysSo) {
  TinyShop shop = random_shop(10, 1, 4, 1);
  shop.items[2].customers = 1;
  shop.items[3].customers = 12;
  publish(shop);
  start(options());
  v1::ExplainRequest why;
  why.mutable_visitor();
  why.add_item_ids("item3");
  why.add_item_ids("item2");
  ASSERT_TRUE(explain(why).ok());
  ASSERT_EQ(explained_.results_size(), 2);
  EXPECT_EQ(explained_.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
  EXPECT_EQ(explained_.results(0).score(), 12);
  EXPECT_THAT(explained_.results(0).reasons(), ElementsAre("bought by 12 customers"));
  EXPECT_THAT(explained_.results(1).reasons(), ElementsAre("bought by 1 customer"));
  EXPECT_THAT(explained_.shortfall(), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
  EXPECT_EQ(explained_.events_used(), 0);
}

TEST_F(ExplainTest, BadFieldsAreNamed) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  v1::ExplainRequest why;
  why.add_item_ids("item0");
  EXPECT_THAT(explain(why).error_message(), HasSubstr("subject"));
  why.set_customer_id("c");
  why.set_explain(static_cast<v1::Explain>(3));
  EXPECT_THAT(explain(why).error_message(), HasSubstr("explain"));
  why.clear_explain();
  why.clear_item_ids();
  EXPECT_THAT(explain(why).error_message(), HasSubstr("item_ids"));
  for (int i = 0; i < 100; ++i) why.add_item_ids("item0");
  EXPECT_TRUE(explain(why).ok());
  EXPECT_EQ(explained_.results_size(), 100);
  why.add_item_ids("item0");
  EXPECT_EQ(explain(why).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// Bread and rolls share much, tea shares with bread that it is organic.
TinyShop bakery() {
  TinyShop shop;
  shop.items = {{.id = "bread", .vector = {1, 0}, .title = "Bread, 1 kg"},
                {.id = "rolls", .vector = {1, 0.1f}, .title = "Rolls"},
                {.id = "tea", .vector = {0, 1}, .title = "Tea"},
                {.id = "cup", .vector = {0.1f, 1}}};
  shop.customers = {{.id = "c", .profile = {1, 1}}};
  CatalogColumnsBuilder columns;
  columns.add_categories("brand", {"Acme", "Acme", "Leaf", ""});
  columns.add_flags("organic", {1, 0, 1, kMissingFlag});
  columns.add_flags("available", {1, 1, 1, 1});
  using Texts = std::vector<std::string>;
  columns.add_sets("tags", {Texts{"fresh", "sale", "warm"}, Texts{"fresh", "new", "warm"}, Texts{"warm"}, Texts{}});
  columns.add_numbers("price", std::vector<double>{1, 1, 1, 1});
  shop.columns = columns.finish();
  for (int b = 0; b < 10; ++b) shop.baskets.push_back({0, b < 4 ? 2 : b < 6 ? 1 : 3});  // with bread: 4 tea, 2 rolls, 4 cups
  return shop;
}

std::map<std::string, std::vector<std::string>> reasons_of(const v1::SimilarItemsResponse& response) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& row : response.results()) out[row.item_id()] = {row.reasons().begin(), row.reasons().end()};
  return out;
}

TEST_F(ExplainTest, SimilarItemsSayWhatIsKnownOfBoth) {
  Artifact shop = bakery().artifact();
  shop.catalog.categories = string_column({"bakery", "bakery", "drinks", "kitchen"});
  publish(std::move(shop));
  start(options());
  v1::SimilarItemsRequest request;
  request.set_item_id("bread");
  v1::SimilarItemsResponse response;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::SimilarItems, request, &response).ok());
  for (const auto& row : response.results()) EXPECT_THAT(row.reasons(), IsEmpty());
  request.set_explain(v1::EXPLAIN_TOP);
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::SimilarItems, request, &response).ok());
  auto reasons = reasons_of(response);
  EXPECT_THAT(reasons["rolls"], ElementsAre("both in category bakery", "both brand = Acme", "both tags = fresh, warm"));
  EXPECT_THAT(reasons["tea"], ElementsAre("both organic", "both tags = warm", "with Bread, 1 kg in 4 of 10 baskets"));
  EXPECT_THAT(reasons["cup"], ElementsAre("with Bread, 1 kg in 4 of 10 baskets"));
}

TEST_F(ExplainTest, CrossSellNamesTheBasketsAndTheNearestOfTheBasket) {
  Artifact shop = bakery().artifact();
  shop.catalog.categories = string_column({"bakery", "bakery", "drinks", "kitchen"});
  publish(std::move(shop));
  start(options());
  v1::CrossSellRequest request;
  request.add_item_ids("bread");
  request.add_item_ids("cup");
  request.set_explain(v1::EXPLAIN_FULL);
  v1::CrossSellResponse response;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::CrossSell, request, &response).ok());
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).item().item_id(), "tea");
  EXPECT_THAT(response.results(0).item().reasons(), ElementsAre("with Bread, 1 kg in 4 of 10 baskets"));
  EXPECT_EQ(response.results(1).item().item_id(), "rolls");  // too few baskets: by vectors, of which bread's is the nearest
  EXPECT_EQ(response.results(1).item().source(), v1::SOURCE_ITEM_SIMILARITY);
  EXPECT_THAT(response.results(1).item().reasons(), ElementsAre("both in category bakery", "both brand = Acme", "both tags = fresh, warm"));
}

}  // namespace
}  // namespace bouquet::server
