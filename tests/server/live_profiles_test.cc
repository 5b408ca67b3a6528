// Over gRPC: what was recorded counts in the next answer, survives a restart and a swap of models, and is answered alike everywhere.
#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/time/clock.h"
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

// As one row of a wrong year makes it, or times of Tokyo that are taken as UTC.
TEST_F(LiveProfiles, WhatIsRecordedCountsAlsoWhereTheTrainingHadEventsOfTheFuture) {
  Artifact ahead = random_shop(60, 10, 8, 5).artifact();
  ahead.rules.reference_time = absl::ToUnixMicros(absl::Now() + absl::Hours(9));
  publish(std::move(ahead));
  ASSERT_TRUE(serving_->models().refresh().ok());
  const std::string bought = recommend("customer0").results(0).item_id();
  const int64_t version = record("customer0", bought);
  const auto after = recommend("customer0");
  EXPECT_EQ(after.profile_version(), version);
  EXPECT_THAT(ids(after), Not(Contains(bought)));
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

// R17, down to the bits of the scores: who did the same is answered the same, in whatever order and however often it was sent.
TEST_F(LiveProfiles, DoNotDependOnTheOrderOfArrivalNorOnRepetition) {
  std::mt19937 random(17);
  std::vector<v1::Event> history(24);
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  for (size_t i = 0; i < history.size(); ++i) {
    history[i].set_item_id("item" + std::to_string(random() % 9));
    history[i].set_type(random() % 3 == 0 ? "view" : "purchase");
    history[i].set_value(random() % 7 == 0 ? -1 : static_cast<float>(1 + random() % 3));
    history[i].mutable_time()->set_seconds(now - static_cast<int64_t>(random() % 5) * 86400);  // with ties
  }
  const auto answer_after = [&](const std::string& customer) {
    std::vector<size_t> order(history.size());
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = 0; i < history.size(); i += 3) order.push_back(i);
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      v1::Event event = history[i];
      event.set_event_id(customer + "-" + std::to_string(i));
      EXPECT_EQ(send(customer, event).code(), 0);
    }
    v1::RecommendResponse answer = recommend(customer);
    answer.clear_profile_version();
    answer.clear_recommendation_id();
    return answer;
  };
  const v1::RecommendResponse first = answer_after("person0");
  EXPECT_GT(first.results_size(), 3);
  EXPECT_EQ(first.results(0).source(), v1::SOURCE_MODEL);
  for (int person = 1; person < 8; ++person)
    EXPECT_EQ(answer_after("person" + std::to_string(person)).SerializeAsString(), first.SerializeAsString()) << person;
  history[0].set_item_id("item9");
  EXPECT_NE(answer_after("person8").SerializeAsString(), first.SerializeAsString()) << "the control: another history";
}

TEST_F(LiveProfiles, OnesOwnWriteCanBeAskedFor) {
  const int64_t version = record("customer0", "item3");
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  request.set_min_profile_version(version);
  EXPECT_EQ(recommend(request).profile_version(), version);
  request.set_min_profile_version(version + 1);
  v1::RecommendResponse response;
  EXPECT_EQ(call_method(&v1::Recommendations::Stub::Recommend, request, &response).error_code(), grpc::StatusCode::UNAVAILABLE)
      << "nobody records anything, and the wait is bounded";
  request.clear_customer_id();
  request.mutable_visitor()->add_events()->set_item_id("item3");
  EXPECT_TRUE(call_method(&v1::Recommendations::Stub::Recommend, request, &response).ok()) << "a visitor has no versions to wait for";
}

class EagerProfiles : public LiveProfiles {
 protected:
  void SetUp() override {
    publish(random_shop(60, 10, 8, 5));
    start_eagerly();
  }
  void start_eagerly() {
    serving_.reset();
    ServingOptions made = options();
    made.store = store_;
    made.solve_ahead = true;
    start(made);
  }
  int fresh(const std::string& result) const { return metric("bouquet_fresh_profiles_total{result=\"" + result + "\"}"); }
};

TEST_F(EagerProfiles, AreThereWhenTheyAreAskedForAndAnswerAsThoseSolvedByTheRequest) {
  record("customer0", "item3");
  record("new customer", "item4");
  ASSERT_TRUE(becomes_true([this] { return fresh("ahead") == 2; }));
  const auto eagerly = recommend("customer0"), of_new = recommend("new customer");
  EXPECT_EQ(fresh("kept"), 2);
  EXPECT_EQ(fresh("solved"), 0);
  // The control: without it the first request solves, and the next finds that.
  restart_with_store();
  EXPECT_EQ(bytes_without_name(recommend("customer0")), bytes_without_name(eagerly));
  EXPECT_EQ(fresh("solved"), 1);
  EXPECT_EQ(bytes_without_name(recommend("customer0")), bytes_without_name(eagerly));
  EXPECT_EQ(fresh("kept"), 1);
  EXPECT_EQ(bytes_without_name(recommend("new customer")), bytes_without_name(of_new));
  EXPECT_EQ(fresh("ahead"), 0);
}

TEST_F(EagerProfiles, AreOfTheRootToo) {
  record("customer0", "item3");
  v1::MergeCustomersRequest merge;
  merge.set_from_customer_id("visitor");
  merge.set_into_customer_id("customer0");
  v1::MergeCustomersResponse merged;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::MergeCustomers, merge, &merged).ok());
  ASSERT_TRUE(becomes_true([this] { return fresh("ahead") == 3; }));
  record("visitor", "item4");
  ASSERT_TRUE(becomes_true([this] { return fresh("ahead") == 5; }));
  EXPECT_THAT(ids(recommend("customer0")), Not(Contains("item4")));
  recommend("visitor");
  EXPECT_EQ(fresh("kept"), 2);
}

TEST_F(EagerProfiles, OfSomebodyWhoWasErasedAreGone) {
  record("customer0", "item3");
  ASSERT_TRUE(becomes_true([this] { return fresh("ahead") == 1; }));
  erase("customer0");
  EXPECT_EQ(bytes_without_name(recommend("customer0")), bytes_without_name(recommend("never seen")));
  EXPECT_EQ(serving_->models().serving()->live.profiles->bytes(), 0);
  record("customer0", "item4");
  ASSERT_TRUE(becomes_true([this] { return fresh("ahead") == 2; }));
  EXPECT_EQ(recommend("customer0").events_used(), 1);
}

TEST_F(EagerProfiles, NeedAStore) {
  serving_.reset();
  ServingOptions made = options();
  made.solve_ahead = true;
  const auto refused = Serving::start(made, *backend_);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("--store"));
}

// Reads of what is to be recorded, on a server that lets them wait for a minute.
class ReadOfAWriteToCome : public LiveProfiles {
 protected:
  void SetUp() override {
    publish(random_shop(60, 10, 8, 5));
    ServingOptions made = options();
    made.store = store_;
    made.batcher.parked.max_wait = std::chrono::seconds(60);
    start(made);
    request_.set_customer_id("customer0");
    request_.set_min_profile_version(record("customer0", "item3") + 1);
  }
  // In a thread of its own: it is parked when this returns.
  std::future<grpc::Status> ask(std::chrono::seconds patience = std::chrono::seconds(60)) {
    context_.set_deadline(std::chrono::system_clock::now() + patience);
    auto answer = std::async(std::launch::async,
                             [this] { return v1::Recommendations::NewStub(channel())->Recommend(&context_, request_, &response_); });
    EXPECT_TRUE(becomes_true([this] { return metric("bouquet_parked") == 1; }));
    return answer;
  }

  grpc::ClientContext context_;
  v1::RecommendRequest request_;
  v1::RecommendResponse response_;
};

TEST_F(ReadOfAWriteToCome, IsAnsweredWithIt) {
  auto answer = ask();
  EXPECT_EQ(recommend("customer1").profile_version(), 0) << "others are answered meanwhile";
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  const int64_t version = record("customer0", "item4");
  const grpc::Status status = answer.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.profile_version(), version);
  EXPECT_THAT(ids(response_), Not(Contains("item4")));
  EXPECT_EQ(metric("bouquet_parked"), 0);
}

TEST_F(ReadOfAWriteToCome, EndsWithItsDeadline) {
  EXPECT_EQ(ask(std::chrono::seconds(1)).get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(becomes_true([this] { return metric("bouquet_parked") == 0; }));
}

TEST_F(ReadOfAWriteToCome, EndsWithItsCaller) {
  auto answer = ask();
  context_.TryCancel();
  EXPECT_EQ(answer.get().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(becomes_true([this] { return metric("bouquet_parked") == 0; }));
}

TEST_F(ReadOfAWriteToCome, EndsWhenTheServerStops) {
  auto answer = ask();
  serving_->stop();
  EXPECT_EQ(answer.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ReadOfAWriteToCome, WaitsInAStreamToo) {
  v1::BatchRecommendRequest batch;
  *batch.add_requests() = request_;
  const auto recommendations = stub();
  const auto stream = recommendations->BatchRecommend(&context_, batch);
  EXPECT_TRUE(becomes_true([this] { return metric("bouquet_parked") == 1; }));
  const int64_t version = record("customer0", "item4");
  v1::BatchRecommendResponse answer;
  ASSERT_TRUE(stream->Read(&answer));
  EXPECT_EQ(answer.response().profile_version(), version);
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace bouquet::server
