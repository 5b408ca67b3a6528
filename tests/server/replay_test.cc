// Over gRPC: answers as they would have been at an earlier moment, and what is gone says so.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/emptied_rows.h"
#include "server/answerer.h"
#include "server/timestamps.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Replay : public TestServer {
 protected:
  void SetUp() override {
    version_ = publish(shop_);
    start_with_store();
  }
  // The model's training ends at T = 0 of 1970 plus what random_shop says; events are recorded a second apart from here on.
  int64_t record(const std::string& customer, const std::string& item, const std::string& type = "purchase") {
    v1::Event event;
    event.set_item_id(item);
    event.set_type(type);
    *event.mutable_time() = timestamp(time_ += 1'000'000);
    const v1::EventResult result = send(customer, event);
    EXPECT_EQ(result.code(), 0) << result.message();
    return result.profile_version();
  }
  static v1::RecommendRequest of(const std::string& customer) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(12);
    return request;
  }
  grpc::Status refusal(const v1::RecommendRequest& request) {
    v1::RecommendResponse response;
    return call_method(&v1::Recommendations::Stub::Recommend, request, &response);
  }
  static v1::RecommendRequest again(const std::string& customer, const v1::RecommendResponse& answer) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.mutable_as_of()->set_recommendation_id(answer.recommendation_id());
    return request;
  }
  void set_attribute(const std::string& customer) {
    v1::SetAttributesRequest request;
    request.set_customer_id(customer);
    (*request.mutable_attributes())["country"].set_text("DE");
    v1::SetAttributesResponse response;
    ASSERT_TRUE(call_method(&v1::Profiles::Stub::SetAttributes, request, &response).ok());
  }
  // A model that says it was trained with the store up to now, from nothing else or not.
  std::string publish_of_store(const std::vector<std::string>& sources, int64_t sequence) {
    serving_.reset();
    std::string identity;
    {
      auto database = StoreDatabase::open(store_);
      EXPECT_TRUE(database.ok());
      identity = (*database)->identity();
    }
    Artifact artifact = shop_.artifact();
    artifact.recipe.sources = sources;
    artifact.recipe.store = {.identity = identity, .sequence = static_cast<uint64_t>(sequence)};
    const std::string version = publish(std::move(artifact));
    start_with_store();
    return version;
  }

  // As `bouquet erasures scrub` does where that customer was erased. The new name, which serves.
  std::string scrub(const std::string& version, const std::string& customer) {
    auto directory = ModelsDirectory::open(models_);
    EXPECT_TRUE(directory.ok()) << directory.status();
    Artifact emptied = *directory->load(version).value();
    empty_customer_rows(std::vector<CustomerIndex>{emptied.customer_ids.find(customer)}, emptied);
    const auto replaced = directory->replace(version, std::move(emptied));
    EXPECT_TRUE(replaced.ok()) << replaced.status();
    EXPECT_TRUE(serving_->models().refresh().ok());
    return *replaced;
  }
  static std::string bytes_without_version(v1::RecommendResponse response) {
    response.clear_model_version();
    return bytes_without_name(std::move(response));
  }
  std::unique_ptr<Answerer> offline(const std::string& answer) {
    AnswerPlace place;
    place.models = models_;
    place.store = store_;
    place.answer = answer;
    auto answerer = make_answerer(place, [](const BackendChoice&) { return cpu::make_cpu_backend(1); });
    EXPECT_TRUE(answerer.ok()) << answerer.status();
    return *std::move(answerer);
  }

  const TinyShop shop_ = random_shop(60, 10, 8, 5);
  std::string version_;
  int64_t time_ = 1'790'000'000'000'000;
};

TEST_F(Replay, MakesAnAnswerAgainFromItsNameAfterMoreHasHappenedAndARestart) {
  record("customer0", "item3");
  const auto of_model = recommend(of("customer1"));
  const auto first = recommend(of("customer0"));
  record("customer0", first.results(0).item_id());
  record("customer1", of_model.results(0).item_id());
  EXPECT_NE(bytes_without_name(recommend(of("customer0"))), bytes_without_name(first));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(bytes_without_name(recommend(again("customer0", first))), bytes_without_name(first));
    EXPECT_EQ(bytes_without_name(recommend(again("customer1", of_model))), bytes_without_name(of_model));
    restart_with_store();
  }
}

TEST_F(Replay, ExplainsAndShowsTheProfileOfThatAnswer) {
  record("customer0", "item3");
  const auto first = recommend(of("customer0"));
  record("customer0", first.results(0).item_id());
  v1::ExplainRequest why;
  why.set_customer_id("customer0");
  why.add_item_ids(first.results(0).item_id());
  why.mutable_as_of()->set_recommendation_id(first.recommendation_id());
  v1::ExplainResponse explained;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::Explain, why, &explained).ok());
  EXPECT_EQ(explained.results(0).score(), first.results(0).score());
  EXPECT_EQ(explained.not_offered_item_ids_size(), 0) << "it had not been bought then";
  v1::GetProfileRequest ask;
  ask.set_customer_id("customer0");
  ask.set_embedding(true);
  v1::Profile now, then, by_version;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &now).ok());
  ask.mutable_as_of()->set_recommendation_id(first.recommendation_id());
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &then).ok());
  ask.mutable_as_of()->set_profile_version(first.profile_version());
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &by_version).ok());
  EXPECT_EQ(now.profile_version(), 2);
  EXPECT_EQ(then.profile_version(), 1);
  EXPECT_NE(now.embedding(0), then.embedding(0));
  EXPECT_EQ(then.SerializeAsString(), by_version.SerializeAsString());
}

TEST_F(Replay, OfAThompsonDrawDrawsTheSameProfile) {
  Artifact artifact = shop_.artifact();
  artifact.uncertainty = some_uncertainty(artifact.model);
  publish(std::move(artifact));
  ASSERT_TRUE(serving_->models().refresh().ok());
  record("customer0", "item3");
  v1::RecommendRequest request = of("customer0");
  request.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_THOMPSON);
  request.mutable_exploration()->set_scale(2);
  const auto drawn = recommend(request);
  EXPECT_NE(bytes_without_name(recommend(request)), bytes_without_name(drawn)) << "another seed";
  record("customer0", "item4");
  EXPECT_EQ(bytes_without_name(recommend(again("customer0", drawn))), bytes_without_name(drawn));
}

TEST_F(Replay, KnowsWhatHadHappenedByATimeAndWhatHadArrivedByAVersion) {
  const int64_t one = record("new", "item3");
  const auto after_one = recommend(of("new"));
  const int64_t two = record("new", "item4");
  const auto after_two = recommend(of("new"));
  record("new", "item5");
  v1::RecommendRequest request = of("new");
  *request.mutable_as_of()->mutable_time() = timestamp(time_ - 2'000'000);
  EXPECT_EQ(bytes_without_name(recommend(request)), bytes_without_name(after_one));
  request.mutable_as_of()->set_profile_version(one);
  EXPECT_EQ(bytes_without_name(recommend(request)), bytes_without_name(after_one));
  request.mutable_as_of()->set_profile_version(two);
  EXPECT_EQ(bytes_without_name(recommend(request)), bytes_without_name(after_two));
  request.mutable_as_of()->set_event_count(2);
  EXPECT_EQ(bytes_without_name(recommend(request)), bytes_without_name(after_two));
  request.mutable_as_of()->set_event_count(0);
  EXPECT_THAT(recommend(request).shortfall(), Contains(v1::SHORTFALL_COLD_CUSTOMER));
}

TEST_F(Replay, BeforeTheTrainingIsGoneWhereFilesWereLearnedFrom) {
  record("customer0", "item3");
  v1::RecommendRequest request = of("customer0");
  request.mutable_as_of()->set_event_count(1);
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(request).error_message(), HasSubstr("event files"));
  *request.mutable_as_of()->mutable_time() = timestamp(shop_.artifact().rules.reference_time - 1);
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(Replay, BeforeTheTrainingIsTakenFromTheStoreWhereItWasTrainedFromThatAlone) {
  const int64_t one = record("customer0", "item3");
  const int64_t two = record("customer0", "item4");
  publish_of_store({"store"}, two);
  v1::RecommendRequest request = of("customer0");
  request.mutable_as_of()->set_profile_version(one);
  const auto then = recommend(request);
  EXPECT_EQ(then.events_used(), 1);
  EXPECT_EQ(then.profile_version(), one);
  v1::RecommendRequest visitor;
  visitor.set_k(12);
  v1::Event& event = *visitor.mutable_visitor()->add_events();
  event.set_item_id("item3");
  *event.mutable_time() = timestamp(time_ - 1'000'000);
  const auto same = recommend(visitor);
  ASSERT_EQ(then.results_size(), same.results_size());
  for (int i = 0; i < then.results_size(); ++i) EXPECT_EQ(then.results(i).item_id(), same.results(i).item_id()) << i;
  publish_of_store({"events.csv", "store"}, two);
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(Replay, WhatIsGoneIsNamed) {
  record("customer0", "item3");
  const auto first = recommend(of("customer0"));
  set_attribute("customer0");
  EXPECT_EQ(refusal(again("customer0", first)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(again("customer0", first)).error_message(), HasSubstr("attributes"));

  const auto other = recommend(of("customer1"));
  erase("customer1");
  EXPECT_EQ(refusal(again("customer1", other)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(again("customer1", other)).error_message(), HasSubstr("erased"));
  v1::RecommendRequest request = of("customer1");
  *request.mutable_as_of()->mutable_time() = timestamp(time_);
  EXPECT_THAT(refusal(request).error_message(), HasSubstr("erased"));

  const auto third = recommend(of("customer2"));
  const std::string second = publish(random_shop(60, 10, 8, 9));
  ASSERT_TRUE(serving_->models().refresh().ok());
  EXPECT_EQ(refusal(again("customer2", third)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(again("customer2", third)).error_message(), HasSubstr(version_));
}

TEST_F(Replay, BeforeAMergeIsGoneAndAfterItIsNot) {
  record("visitor", "item3");
  const auto alone = recommend(of("customer0"));
  v1::MergeCustomersRequest merge;
  merge.set_from_customer_id("visitor");
  merge.set_into_customer_id("customer0");
  v1::MergeCustomersResponse merged;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::MergeCustomers, merge, &merged).ok());
  EXPECT_EQ(refusal(again("customer0", alone)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(again("customer0", alone)).error_message(), HasSubstr("merged"));
  const auto together = recommend(of("customer0"));
  EXPECT_EQ(together.profile_version(), merged.profile_version());
  record("visitor", together.results(0).item_id());
  EXPECT_EQ(bytes_without_name(recommend(again("customer0", together))), bytes_without_name(together));
  v1::UnmergeCustomersRequest apart;
  apart.set_from_customer_id("visitor");
  v1::UnmergeCustomersResponse taken_apart;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::UnmergeCustomers, apart, &taken_apart).ok());
  EXPECT_EQ(refusal(again("customer0", together)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(Replay, RefusesMomentsThatAreNone) {
  const auto refused = [&](auto change) {
    v1::RecommendRequest request = of("customer0");
    request.mutable_as_of();
    change(request);
    EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(refusal(request).error_message(), HasSubstr("as_of"));
  };
  refused([](auto&) {});
  refused([](auto& r) { r.mutable_as_of()->set_event_count(-1); });
  refused([](auto& r) { r.mutable_as_of()->set_profile_version(0); });
  refused([](auto& r) { r.mutable_as_of()->mutable_time()->set_nanos(-1); });
  refused([](auto& r) { r.mutable_as_of()->set_recommendation_id("no name"); });
  refused([](auto& r) {
    r.mutable_as_of()->set_event_count(1);
    r.mutable_visitor();
  });
  refused([](auto& r) {
    r.mutable_as_of()->set_event_count(1);
    r.set_recipient_id("customer1");
  });
  v1::RecommendRequest somebody_else = again("customer1", recommend(of("customer0")));
  EXPECT_EQ(refusal(somebody_else).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Replay, WithoutAStoreTheNameOfAnAnswerOfTheModelAloneIsEnough) {
  serving_.reset();
  start(options());
  const auto first = recommend(of("customer0"));
  EXPECT_EQ(bytes_without_name(recommend(again("customer0", first))), bytes_without_name(first));
  v1::RecommendRequest request = of("customer0");
  request.mutable_as_of()->set_profile_version(1);
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(Replay, OutlivesTheScrubbingOfOthersAndNotTheErasureOfTheCustomer) {
  record("customer0", "item3");
  const auto of_events = recommend(of("customer0")), of_model = recommend(of("customer1"));
  const auto gone = recommend(of("customer2")), gone_too = recommend(of("customer3"));
  record("customer0", of_events.results(0).item_id());
  erase("customer2");
  const std::string once = scrub(version_, "customer2");
  const auto of_scrubbed = recommend(of("customer1"));
  erase("customer3");
  const std::string twice = scrub(once, "customer3");
  const std::pair<std::string, v1::RecommendResponse> kept[] = {
      {"customer0", of_events}, {"customer1", of_model}, {"customer1", of_scrubbed}};
  for (const auto& [customer, answer] : kept) {
    const auto repeated = recommend(again(customer, answer));
    EXPECT_EQ(repeated.model_version(), twice);
    EXPECT_EQ(bytes_without_version(repeated), bytes_without_version(answer));
    v1::RecommendResponse alone;
    const absl::Status status = offline(answer.recommendation_id())->recommend(again(customer, answer), &alone);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(bytes_without_name(alone), bytes_without_name(repeated));
  }
  for (const auto& [customer, answer] : {std::pair("customer2", gone), std::pair("customer3", gone_too)}) {
    EXPECT_EQ(refusal(again(customer, answer)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(refusal(again(customer, answer)).error_message(), HasSubstr("erased"));
    v1::RecommendResponse none;
    const absl::Status status = offline(answer.recommendation_id())->recommend(again(customer, answer), &none);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("erased"));
  }
  // The control: the same rows of a version that does not say what it replaces.
  Artifact same = *ModelsDirectory::open(models_)->load(twice).value();
  same.replaces.clear();
  publish(std::move(same));
  ASSERT_TRUE(serving_->models().refresh().ok());
  EXPECT_EQ(refusal(again("customer1", of_model)).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refusal(again("customer1", of_model)).error_message(), HasSubstr(version_));
}

// "Why did we show this on Tuesday?", when another model serves on Wednesday.
TEST_F(Replay, AnEarlierModelMakesItsAnswerAgainOfflineBesideTheServer) {
  record("customer0", "item3");
  const auto first = recommend(of("customer0"));
  publish(random_shop(60, 10, 8, 9));
  ASSERT_TRUE(serving_->models().refresh().ok());
  record("customer0", first.results(0).item_id());
  const BackendFactory backends = [](const BackendChoice&) { return cpu::make_cpu_backend(1); };
  AnswerPlace place;
  place.models = models_;
  place.store = store_;
  place.answer = first.recommendation_id();
  auto answerer = make_answerer(place, backends);
  ASSERT_TRUE(answerer.ok()) << answerer.status();
  v1::RecommendResponse offline;
  const absl::Status status = (*answerer)->recommend(again("customer0", first), &offline);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(bytes_without_name(offline), bytes_without_name(first));

  place.answer.clear();  // the present, as the server has it
  answerer = make_answerer(place, backends);
  ASSERT_TRUE(answerer.ok()) << answerer.status();
  ASSERT_TRUE((*answerer)->recommend(of("customer0"), &(offline = {})).ok());
  EXPECT_EQ(bytes_without_name(offline), bytes_without_name(recommend(of("customer0"))));

  place.store.clear();  // the control: without the store the event does not count
  answerer = make_answerer(place, backends);
  ASSERT_TRUE((*answerer)->recommend(of("customer0"), &(offline = {})).ok());
  EXPECT_NE(bytes_without_name(offline), bytes_without_name(recommend(of("customer0"))));
}

TEST_F(Replay, EveryRecommendingAnswerHasAName) {
  v1::SimilarItemsRequest similar;
  similar.set_item_id("item3");
  v1::SimilarItemsResponse neighbours;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::SimilarItems, similar, &neighbours).ok());
  v1::CrossSellRequest basket;
  basket.add_item_ids("item1");
  v1::CrossSellResponse together;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::CrossSell, basket, &together).ok());
  for (const std::string& name : {neighbours.recommendation_id(), together.recommendation_id()}) {
    EXPECT_FALSE(name.empty());
    v1::RecommendRequest request = of("customer0");
    request.mutable_as_of()->set_recommendation_id(name);
    EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "it is of another method";
    // What came of it can be said with the event.
    v1::RecordEventsRequest events;
    events.add_events()->set_customer_id("customer0");
    events.mutable_events(0)->mutable_event()->set_item_id("item5");
    events.mutable_events(0)->mutable_event()->set_recommendation_id(name);
    v1::RecordEventsResponse response;
    ASSERT_TRUE(call_method(&v1::Profiles::Stub::RecordEvents, events, &response).ok());
    EXPECT_EQ(response.failed(), 0);
  }
}

}  // namespace
}  // namespace bouquet::server
