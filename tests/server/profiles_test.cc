// Profiles that can be read, and customers who are alike, over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/attributed_shop.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ProfilesTest : public TestServer {
 protected:
  grpc::Status get(const v1::GetProfileRequest& request) { return call_method(&v1::Profiles::Stub::GetProfile, request, &profile_); }
  grpc::Status similar(const v1::SimilarCustomersRequest& request) {
    return call_method(&v1::Audiences::Stub::SimilarCustomers, request, &similar_);
  }
  std::vector<std::string> similar_ids() const {
    std::vector<std::string> ids;
    for (const auto& row : similar_.results()) ids.push_back(row.customer_id());
    return ids;
  }

  v1::Profile profile_;
  v1::SimilarCustomersResponse similar_;
};

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0, aa = 0, bb = 0;
  for (size_t j = 0; j < a.size(); ++j) {
    product += double{a[j]} * double{b[j]};
    aa += double{a[j]} * double{a[j]};
    bb += double{b[j]} * double{b[j]};
  }
  return product / std::sqrt(aa * bb);
}

TEST_F(ProfilesTest, SimilarCustomersAreThoseOfTheLargestCosine) {
  const TinyShop shop = random_shop(20, 70, 8, 9);
  publish(shop);
  start(options());
  for (const size_t asked : {size_t{0}, size_t{33}, size_t{69}}) {
    v1::SimilarCustomersRequest request;
    request.set_customer_id(shop.customers[asked].id);
    request.set_k(1000);
    request.add_exclude_customer_ids("customer5");
    request.add_exclude_customer_ids("no such customer");
    ASSERT_TRUE(similar(request).ok());
    std::vector<std::pair<double, std::string>> expected;
    for (size_t u = 0; u < shop.customers.size(); ++u)
      if (u != asked && u != 5)
        expected.emplace_back(-cosine(shop.customers[asked].profile, shop.customers[u].profile), shop.customers[u].id);
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(static_cast<size_t>(similar_.results_size()), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(similar_.results(static_cast<int>(i)).customer_id(), expected[i].second);
      EXPECT_NEAR(similar_.results(static_cast<int>(i)).score(), -expected[i].first, 1e-5);
    }
    EXPECT_THAT(similar_.shortfall(), ElementsAre(v1::SHORTFALL_FILTERED));
  }
}

TEST_F(ProfilesTest, EqualCustomersStandInTheirOrderAndOnesWithoutAProfileNowhere) {
  TinyShop shop = random_shop(5, 0, 2, 1);
  shop.customers = {{.id = "c", .profile = {1, 0}}, {.id = "zero", .profile = {0, 0}}, {.id = "far", .profile = {0, 1}},
                    {.id = "b", .profile = {2, 0}}, {.id = "a", .profile = {4, 0}},    {.id = "opposite", .profile = {-1, 0}}};
  publish(shop);
  start(options());
  v1::SimilarCustomersRequest request;
  request.set_customer_id("a");
  ASSERT_TRUE(similar(request).ok());
  EXPECT_THAT(similar_ids(), ElementsAre("c", "b", "far", "opposite"));
  EXPECT_EQ(similar_.results(0).score(), 1);
  EXPECT_EQ(similar_.results(3).score(), -1);
  request.set_k(2);
  ASSERT_TRUE(similar(request).ok());
  EXPECT_THAT(similar_ids(), ElementsAre("c", "b"));
  EXPECT_THAT(similar_.shortfall(), IsEmpty());
  request.set_customer_id("zero");
  ASSERT_TRUE(similar(request).ok());
  EXPECT_THAT(similar_ids(), IsEmpty());
  EXPECT_THAT(similar_.shortfall(), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
}

TEST_F(ProfilesTest, AVisitorIsLikeThoseWithTheirEventsAndAStrangerLikeNobody) {
  publish(random_shop(20, 30, 4, 2));
  start(options());
  v1::SimilarCustomersRequest request;
  request.mutable_visitor()->add_events()->set_item_id("item3");
  ASSERT_TRUE(similar(request).ok());
  EXPECT_EQ(similar_.results_size(), 10);
  EXPECT_GT(similar_.results(0).score(), similar_.results(9).score());
  request.set_customer_id("a stranger");
  ASSERT_TRUE(similar(request).ok());
  EXPECT_EQ(similar_.results_size(), 0);
  EXPECT_THAT(similar_.shortfall(), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
}

Artifact shop_with_categories() {
  Artifact shop = attributed_shop();
  std::vector<std::string> categories;
  for (int i = 0; i < 60; ++i)
    categories.push_back(i % 10 == 9 ? "" : i % 10 < 4 ? "tea" : i % 10 == 4 ? "coffee" : "a" + std::to_string(i % 3));
  shop.catalog.categories = string_column(categories);
  return shop;
}

TEST_F(ProfilesTest, ConfidenceGrowsWithTheHistory) {
  publish(attributed_shop());
  start(options());
  v1::GetProfileRequest request;
  double before = 0;
  for (int events = 0; events <= 9; events += 3) {
    request.mutable_visitor()->clear_events();
    for (int e = 0; e < events; ++e) request.mutable_visitor()->add_events()->set_item_id("item" + std::to_string(e));
    (*request.mutable_attributes())["age"].set_number(30);
    ASSERT_TRUE(get(request).ok());
    if (events == 0) {
      EXPECT_NEAR(profile_.confidence(), 0, 1e-6);
    } else {
      EXPECT_GT(profile_.confidence(), before + 0.01);
    }
    before = profile_.confidence();
  }
  EXPECT_LT(before, 1);
}

TEST_F(ProfilesTest, InterestsAreTheMeanScoresOfCategoriesAndAddUp) {
  const Artifact shop = shop_with_categories();
  publish(shop);
  start(options());
  v1::GetProfileRequest request;
  request.set_customer_id("customer0");
  request.set_embedding(true);
  request.set_explain(v1::EXPLAIN_FULL);
  ASSERT_TRUE(get(request).ok());
  EXPECT_TRUE(profile_.known());
  ASSERT_EQ(profile_.embedding_size(), kAttributedDimension);
  ASSERT_EQ(profile_.interests_size(), 5);  // tea, coffee, a0, a1, a2
  double before = INFINITY;
  for (const v1::Interest& interest : profile_.interests()) {
    double score = 0, average = 0, sum = 0;
    int items = 0;
    for (int32_t i = 0; i < 60; ++i) {
      if (shop.catalog.categories.at(i) != interest.category()) continue;
      ++items;
      const auto q = shop.model.item_matrix().row(i);
      for (size_t j = 0; j < q.size(); ++j) {
        score += double{q[j]} * double{profile_.embedding(static_cast<int>(j))};
        for (int32_t u = 0; u < 3; ++u) average += double{q[j]} * double{shop.model.profile_matrix().row(u)[j]} / 3;
      }
    }
    ASSERT_EQ(interest.items(), items);
    EXPECT_NEAR(interest.score(), score / items, 1e-4);
    EXPECT_NEAR(interest.average(), average / items, 1e-4);
    EXPECT_LE(interest.score() - interest.average(), before);
    before = interest.score() - interest.average();
    for (const v1::Contribution& part : interest.contributions())
      if (part.source() != v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) sum += part.value();
    EXPECT_NEAR(sum, interest.score(), 1e-9);
    EXPECT_GT(interest.contributions_size(), 9);
  }
  int in_history = 0;
  for (const v1::Interest& interest : profile_.interests()) in_history += interest.history_items();
  EXPECT_EQ(profile_.events_used(), 9);  // items 0, 7, 14 .. 56
  EXPECT_EQ(in_history, 8);              // item 49 is in no category
  request.set_interests(2);
  ASSERT_TRUE(get(request).ok());
  EXPECT_EQ(profile_.interests_size(), 2);
}

TEST_F(ProfilesTest, AttributesAreReadableAndCanBeSent) {
  publish(shop_with_categories());
  start(options());
  v1::GetProfileRequest request;
  request.set_customer_id("customer0");
  ASSERT_TRUE(get(request).ok());
  EXPECT_EQ(profile_.attributes_used(), 2);
  ASSERT_EQ(profile_.attributes_size(), 2);
  EXPECT_EQ(profile_.attributes(0).name(), "age");
  EXPECT_EQ(profile_.attributes(0).type(), "number");
  EXPECT_EQ(profile_.attributes(0).columns(0).value(), 50);
  EXPECT_EQ(profile_.attributes(1).columns(0).name(), "country = DE");
  EXPECT_EQ(profile_.attributes(1).columns(0).value(), 1);
  (*request.mutable_attributes())["age"];  // sent as missing
  (*request.mutable_attributes())["country"].set_text("somewhere else");
  ASSERT_TRUE(get(request).ok());
  ASSERT_EQ(profile_.attributes_size(), 1);
  EXPECT_EQ(profile_.attributes(0).columns(0).name(), "country = (rare)");
  request.set_customer_id("customer1");
  request.clear_attributes();
  ASSERT_TRUE(get(request).ok());
  EXPECT_EQ(profile_.attributes_size(), 0);
  EXPECT_GT(profile_.interests_size(), 0);
}

TEST_F(ProfilesTest, AnUnknownCustomerIsWhatTheirAttributesLeadToExpect) {
  publish(shop_with_categories());
  start(options());
  v1::GetProfileRequest request;
  request.set_customer_id("a stranger");
  request.set_embedding(true);
  request.set_neighbors(5);
  ASSERT_TRUE(get(request).ok());
  EXPECT_FALSE(profile_.known());
  EXPECT_EQ(profile_.customer_id(), "a stranger");
  EXPECT_EQ(profile_.interests_size(), 0);
  EXPECT_EQ(profile_.neighbors_size(), 0);
  for (const float x : profile_.embedding()) EXPECT_EQ(x, 0);
  (*request.mutable_attributes())["country"].set_text("DE");
  ASSERT_TRUE(get(request).ok());
  EXPECT_FALSE(profile_.known());
  EXPECT_EQ(profile_.events_used(), 0);
  EXPECT_EQ(profile_.attributes_used(), 1);
  EXPECT_EQ(profile_.interests_size(), 5);
  v1::SimilarCustomersRequest same;
  same.set_customer_id("a stranger");
  (*same.mutable_attributes())["country"].set_text("DE");
  ASSERT_TRUE(similar(same).ok());
  ASSERT_EQ(profile_.neighbors_size(), 3);  // all there are
  ASSERT_EQ(similar_.results_size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(profile_.neighbors(i).DebugString(), similar_.results(i).DebugString());
}

TEST_F(ProfilesTest, TheHistoryIsShownHeaviestFirst) {
  TinyShop shop = random_shop(5, 0, 2, 1);
  shop.customers = {
      {.id = "c",
       .profile = {1, 0},
       .history = {
           {.item = 0, .confidence = 1, .consumed = true}, {.item = 2, .confidence = 3, .target = 0}, {.item = 4, .confidence = 2}}}};
  publish(shop);
  start(options());
  v1::GetProfileRequest request;
  request.set_customer_id("c");
  ASSERT_TRUE(get(request).ok());
  EXPECT_EQ(profile_.history_size(), 0);
  EXPECT_EQ(profile_.events_used(), 3);
  request.set_history(2);
  ASSERT_TRUE(get(request).ok());
  ASSERT_EQ(profile_.history_size(), 2);
  EXPECT_EQ(profile_.history(0).item_id(), "item2");
  EXPECT_EQ(profile_.history(0).title(), "Title 2");
  EXPECT_EQ(profile_.history(0).weight(), 3);
  EXPECT_TRUE(profile_.history(0).returned());
  EXPECT_FALSE(profile_.history(0).purchased());
  EXPECT_EQ(profile_.history(1).item_id(), "item4");
  request.set_history(1000);
  ASSERT_TRUE(get(request).ok());
  ASSERT_EQ(profile_.history_size(), 3);
  EXPECT_TRUE(profile_.history(2).purchased());
}

TEST_F(ProfilesTest, BadFieldsAreNamed) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  v1::GetProfileRequest request;
  EXPECT_THAT(get(request).error_message(), HasSubstr("subject"));
  request.set_customer_id("c");
  for (const auto& set :
       std::map<std::string, void (v1::GetProfileRequest::*)(int32_t)>{{"interests", &v1::GetProfileRequest::set_interests},
                                                                       {"neighbors", &v1::GetProfileRequest::set_neighbors},
                                                                       {"history", &v1::GetProfileRequest::set_history}})
    for (const int32_t bad : {-1, set.first == "history" ? 1001 : 101}) {
      v1::GetProfileRequest wrong = request;
      (wrong.*set.second)(bad);
      const grpc::Status status = get(wrong);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_THAT(status.error_message(), HasSubstr(set.first));
    }
  v1::SimilarCustomersRequest similar_request;
  similar_request.set_customer_id("c");
  similar_request.set_k(1001);
  EXPECT_EQ(similar(similar_request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace bouquet::server
