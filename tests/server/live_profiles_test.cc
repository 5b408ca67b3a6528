// Over gRPC: what was recorded counts in the next answer, survives a restart and a swap of models, and is answered alike everywhere.
#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class LiveProfiles : public TestServer {
 protected:
  void SetUp() override {
    publish(random_shop(60, 10, 8, 5));
    start_with_store();
  }
};

TEST_F(LiveProfiles, WhatWasBoughtASecondAgoIsNotOfferedAlsoAfterARestart) {
  const auto before = recommend("customer0");
  EXPECT_EQ(before.profile_version(), 0);
  const std::string bought = before.results(0).item_id();
  const int64_t version = record("customer0", bought);
  const auto after = recommend("customer0");
  EXPECT_EQ(after.profile_version(), version);
  EXPECT_THAT(ids(after), Not(Contains(bought)));
  EXPECT_EQ(recommend("customer1").profile_version(), 0);
  restart_with_store();
  EXPECT_EQ(bytes_without_name(recommend("customer0")), bytes_without_name(after));
}

TEST_F(LiveProfiles, EventsOfItemsThatComeLaterCountFromTheModelThatKnowsThem) {
  const int64_t version = record("new customer", "item70");
  EXPECT_THAT(recommend("new customer").shortfall(), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
  publish(random_shop(80, 10, 8, 6));
  ASSERT_TRUE(serving_->models().refresh().ok());
  const auto after = recommend("new customer");
  EXPECT_EQ(after.events_used(), 1);
  EXPECT_EQ(after.profile_version(), version);
  EXPECT_EQ(after.results(0).source(), v1::SOURCE_MODEL);
  EXPECT_THAT(ids(after), Not(Contains("item70")));
}

TEST_F(LiveProfiles, ASwapSolvesAgainInsteadOfCopying) {
  record("customer0", "item3");
  const auto first = recommend("customer0");
  const std::string second = publish(random_shop(60, 10, 8, 9));
  ASSERT_TRUE(serving_->models().refresh().ok());
  record("customer0", "item4", "view");  // told to the model that serves now
  const auto after = recommend("customer0");
  EXPECT_EQ(after.model_version(), second);
  EXPECT_EQ(after.profile_version(), 2);
  EXPECT_NE(after.results(0).score(), first.results(0).score());
  EXPECT_THAT(ids(after), Not(Contains("item3")));
}

TEST_F(LiveProfiles, AreTheSameWhereverTheyAreAsked) {
  record("customer0", "item3");
  const auto recommended = recommend("customer0");
  v1::ExplainRequest why;
  why.set_customer_id("customer0");
  why.add_item_ids(recommended.results(0).item_id());
  why.add_item_ids("item3");
  v1::ExplainResponse explained;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::Explain, why, &explained).ok());
  EXPECT_EQ(explained.profile_version(), 1);
  EXPECT_EQ(explained.results(0).score(), recommended.results(0).score());
  EXPECT_THAT(explained.not_offered_item_ids(), ElementsAre("item3"));
  v1::GetProfileRequest ask;
  ask.set_customer_id("customer0");
  ask.set_history(100);
  v1::Profile profile;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &profile).ok());
  EXPECT_EQ(profile.profile_version(), 1);
  EXPECT_EQ(profile.events_used(), recommended.events_used());
}

TEST_F(LiveProfiles, OnesOwnWriteCanBeAskedFor) {
  const int64_t version = record("customer0", "item3");
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  request.set_min_profile_version(version);
  v1::RecommendResponse response;
  EXPECT_TRUE(call_method(&v1::Recommendations::Stub::Recommend, request, &response).ok());
  EXPECT_EQ(response.profile_version(), version);
  request.set_min_profile_version(version + 1);
  EXPECT_EQ(call_method(&v1::Recommendations::Stub::Recommend, request, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace bouquet::server
