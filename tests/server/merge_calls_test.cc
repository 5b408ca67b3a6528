// MergeCustomers and UnmergeCustomers over gRPC: two ids are one person in every answer from then on, and two again when that is taken
// back.
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/event_store/store_snapshot.h"
#include "server/merge_commands.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class MergeCalls : public TestServer {
 protected:
  void SetUp() override {
    publish(shop_);
    start_with_store();
  }
  grpc::Status merge(const std::string& from, const std::string& into, v1::MergeCustomersResponse* response,
                     const std::string& request_id = {}, bool validate_only = false) {
    v1::MergeCustomersRequest request;
    request.set_from_customer_id(from);
    request.set_into_customer_id(into);
    request.set_request_id(request_id);
    request.set_validate_only(validate_only);
    return call_method(&v1::Profiles::Stub::MergeCustomers, request, response);
  }
  v1::MergeCustomersResponse merge(const std::string& from, const std::string& into, const std::string& request_id = {}) {
    v1::MergeCustomersResponse response;
    const grpc::Status status = merge(from, into, &response, request_id);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status unmerge(const std::string& from, v1::UnmergeCustomersResponse* response, const std::string& request_id = {},
                       bool validate_only = false) {
    v1::UnmergeCustomersRequest request;
    request.set_from_customer_id(from);
    request.set_request_id(request_id);
    request.set_validate_only(validate_only);
    return call_method(&v1::Profiles::Stub::UnmergeCustomers, request, response);
  }
  v1::UnmergeCustomersResponse unmerge(const std::string& from, const std::string& request_id = {}) {
    v1::UnmergeCustomersResponse response;
    const grpc::Status status = unmerge(from, &response, request_id);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static void expect_refused(const grpc::Status& status, const std::vector<std::string>& said,
                             grpc::StatusCode code = grpc::StatusCode::FAILED_PRECONDITION) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    for (const std::string& text : said) EXPECT_THAT(status.error_message(), HasSubstr(text));
  }
  v1::RecommendResponse recommend(const std::string& customer, int64_t min_version = 0) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(60);
    request.set_min_profile_version(min_version);
    return TestServer::recommend(request);
  }
  // But for the version, which says what has been seen.
  static std::string answer(v1::RecommendResponse response) {
    response.clear_profile_version();
    return bytes_without_name(response);
  }
  v1::Profile profile(const std::string& customer, const std::vector<std::string>& bought_now = {}) {
    v1::GetProfileRequest request;
    if (customer.empty())
      for (const std::string& item : bought_now) request.mutable_visitor()->add_events()->set_item_id(item);
    else
      request.set_customer_id(customer);
    request.set_history(100);
    request.set_embedding(true);
    v1::Profile response;
    const grpc::Status status = call_method(&v1::Profiles::Stub::GetProfile, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // A shop whose rows are those that training would have made of these purchases.
  static TinyShop shop_of(const std::vector<std::pair<std::string, std::vector<int32_t>>>& purchases) {
    TinyShop shop = random_shop(60, 0, 8, 5);
    const Artifact rules = shop.artifact();
    for (const auto& [id, items] : purchases) {
      std::vector<Event> events;
      for (const int32_t item : items) events.push_back({.item = item, .time = rules.rules.reference_time});
      TinyShop::Customer customer{.id = id, .profile = std::vector<float>(8, .1f)};
      merge_events(events, rules.rules, customer.history);
      shop.customers.push_back(std::move(customer));
    }
    return shop;
  }
  // What a training from the store as it is now would have published.
  void publish_of_store(const TinyShop& shop) {
    Artifact artifact = shop.artifact();
    const auto snapshot = StoreSnapshot::open(store_);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    artifact.recipe.store = {(*snapshot)->store_identity(), (*snapshot)->newest_sequence()};
    publish(artifact);
    ASSERT_TRUE(serving_->models().refresh().ok());
  }

  const TinyShop shop_ = random_shop(60, 10, 8, 5);
};

TEST_F(MergeCalls, AVisitorBecomesACustomerInTheNextAnswerAndIsAVisitorAgain) {
  record("visitor", "item3");
  record("customer0", "item9");
  const auto visitor = recommend("visitor"), customer = recommend("customer0");
  EXPECT_THAT(ids(customer), Contains("item3"));
  const v1::MergeCustomersResponse merged = merge("visitor", "customer0");
  EXPECT_EQ(merged.customer_id(), "customer0");
  EXPECT_EQ(merged.profile_version(), 3);
  EXPECT_FALSE(merged.repeated_request());
  EXPECT_EQ(merged.undo_until().seconds() - merged.merge_time().seconds(), 30 * 24 * 3600);
  EXPECT_GT(merged.merge_time().seconds(), 1'700'000'000);
  for (int round = 0; round < 2; ++round) {
    const auto both = recommend("customer0", merged.profile_version());
    EXPECT_EQ(both.profile_version(), 3);
    EXPECT_EQ(both.events_used(), customer.events_used() + 1);
    EXPECT_THAT(ids(both), Not(Contains("item3")));
    EXPECT_THAT(ids(both), Not(Contains("item9")));
    EXPECT_EQ(bytes_without_name(recommend("visitor")), bytes_without_name(both)) << "asking for either is the same";
    restart_with_store();
  }
  // What comes under one counts for the other.
  EXPECT_EQ(record("visitor", "item20"), 4);
  EXPECT_THAT(ids(recommend("customer0")), Not(Contains("item20")));
  EXPECT_EQ(record("customer0", "item21"), 5);
  EXPECT_THAT(ids(recommend("visitor")), Not(Contains("item21")));
  const v1::UnmergeCustomersResponse undone = unmerge("visitor");
  EXPECT_EQ(undone.customer_id(), "customer0");
  EXPECT_EQ(undone.profile_version(), 6);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(ids(recommend("customer0", 6)), Contains("item20"));
    EXPECT_THAT(ids(recommend("customer0")), Contains("item3"));
    EXPECT_THAT(ids(recommend("customer0")), Not(Contains("item21")));
    EXPECT_THAT(ids(recommend("visitor", 6)), Contains("item21"));
    EXPECT_THAT(ids(recommend("visitor")), Not(Contains("item3")));
    EXPECT_EQ(recommend("visitor").events_used(), 2);
    restart_with_store();
  }
}

TEST_F(MergeCalls, TakingBackAtOnceGivesTheAnswersFromBefore) {
  record("visitor", "item3");
  record("customer0", "item9");
  const std::string visitor = answer(recommend("visitor")), customer = answer(recommend("customer0"));
  merge("visitor", "customer0");
  EXPECT_NE(answer(recommend("visitor")), visitor);
  EXPECT_NE(answer(recommend("customer0")), customer);
  unmerge("visitor");
  EXPECT_EQ(answer(recommend("visitor")), visitor);
  EXPECT_EQ(answer(recommend("customer0")), customer);
}

TEST_F(MergeCalls, AChainIsOnePersonAndComesApartWhereItIsTakenBack) {
  record("a", "item3");
  record("b", "item4");
  record("c", "item5");
  merge("a", "b");
  EXPECT_EQ(merge("b", "c").customer_id(), "c");
  EXPECT_EQ(merge("z", "a").customer_id(), "c") << "whom the other is merged into";
  for (const char* id : {"a", "b", "c", "z"}) EXPECT_EQ(recommend(id).events_used(), 3) << id;
  EXPECT_EQ(unmerge("b").customer_id(), "c");
  for (const char* id : {"a", "b", "z"}) EXPECT_EQ(recommend(id).events_used(), 2) << id;
  EXPECT_EQ(recommend("c").events_used(), 1);
}

TEST_F(MergeCalls, TwoRowsOfAModelAreAnsweredAsOneThatWasTrainedOnBoth) {
  const std::vector<int32_t> mine = {1, 4, 4, 9, 30}, others = {4, 9, 12, 55};
  std::vector<int32_t> all = mine;
  all.insert(all.end(), others.begin(), others.end());
  publish(shop_of({{"visitor", others}, {"customer", mine}}));
  ASSERT_TRUE(serving_->models().refresh().ok());
  const v1::Profile alone = profile("customer");
  merge("visitor", "customer");
  const v1::Profile merged = profile("visitor");
  EXPECT_EQ(merged.events_used(), 6);
  publish(shop_of({{"other", {}}, {"together", all}}));
  ASSERT_TRUE(serving_->models().refresh().ok());
  const v1::Profile expected = profile("together");
  ASSERT_EQ(merged.embedding_size(), 8);
  double difference = 0;
  for (int j = 0; j < 8; ++j) {
    EXPECT_NEAR(merged.embedding(j), expected.embedding(j), 1e-5);
    difference += std::abs(alone.embedding(j) - expected.embedding(j));
  }
  EXPECT_GT(difference, .01) << "one row alone is another profile";
  ASSERT_EQ(merged.history_size(), expected.history_size());
  for (int i = 0; i < merged.history_size(); ++i) {
    EXPECT_EQ(merged.history(i).item_id(), expected.history(i).item_id());
    EXPECT_FLOAT_EQ(merged.history(i).weight(), expected.history(i).weight());
  }
}

TEST_F(MergeCalls, AModelThatWasTrainedFromTheStoreHasOneRowAndNoneOnceItIsTakenBack) {
  record("visitor", "item3");
  record("customer0", "item9");
  merge("visitor", "customer0");
  publish_of_store(shop_of({{"customer0", {3, 9}}, {"customer1", {5}}}));
  const auto both = recommend("customer0");
  EXPECT_EQ(both.profile_version(), 0) << "the model knows it all";
  EXPECT_EQ(bytes_without_name(recommend("visitor")), bytes_without_name(both));
  EXPECT_THAT(ids(both), Not(Contains("item3")));
  const v1::UnmergeCustomersResponse undone = unmerge("visitor");
  for (int round = 0; round < 2; ++round) {
    const auto customer = recommend("customer0"), visitor = recommend("visitor");
    EXPECT_EQ(customer.profile_version(), undone.profile_version());
    EXPECT_EQ(customer.events_used(), 1);
    EXPECT_EQ(visitor.events_used(), 1);
    EXPECT_THAT(ids(customer), Contains("item3"));
    EXPECT_THAT(ids(visitor), Contains("item9"));
    const v1::Profile expected = profile({}, {"item9"}), got = profile("customer0");
    for (int j = 0; j < 8; ++j) EXPECT_NEAR(got.embedding(j), expected.embedding(j), 1e-5);
    restart_with_store();
  }
  // The model that is trained afterwards has a row of each.
  publish_of_store(shop_of({{"customer0", {9}}, {"visitor", {3}}}));
  EXPECT_EQ(recommend("visitor").profile_version(), 0);
  EXPECT_TRUE(profile("visitor").known());
}

TEST_F(MergeCalls, RepetitionsAreHarmless) {
  const v1::MergeCustomersResponse first = merge("visitor", "customer0", "r1");
  for (const std::string request_id : {"", "r1", "r2"}) {
    v1::MergeCustomersResponse again = merge("visitor", "customer0", request_id);
    EXPECT_TRUE(again.repeated_request());
    again.set_repeated_request(false);
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  }
  restart_with_store();
  v1::UnmergeCustomersResponse undone = unmerge("visitor", "u1");
  EXPECT_TRUE(merge("visitor", "customer0", "r1").repeated_request());
  EXPECT_TRUE(merge("visitor", "customer0", "r2").repeated_request());
  v1::UnmergeCustomersResponse again = unmerge("visitor", "u1");
  EXPECT_TRUE(again.repeated_request());
  again.set_repeated_request(false);
  EXPECT_EQ(again.SerializeAsString(), undone.SerializeAsString());
  v1::MergeCustomersResponse ignored;
  expect_refused(merge("visitor", "customer1", &ignored, "r1"), {"request_id"}, grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(MergeCalls, WhatCannotBeIsRefusedAndChangesNothing) {
  v1::MergeCustomersResponse merged;
  v1::UnmergeCustomersResponse undone;
  constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  expect_refused(merge("a", "a", &merged), {"into_customer_id", "the same"}, kInvalid);
  expect_refused(merge("", "a", &merged), {"from_customer_id"}, kInvalid);
  expect_refused(merge("a", "", &merged), {"into_customer_id"}, kInvalid);
  expect_refused(merge("a", std::string(129, 'b'), &merged), {"into_customer_id"}, kInvalid);
  expect_refused(merge("a", "b", &merged, std::string(129, 'r')), {"request_id"}, kInvalid);
  expect_refused(unmerge("", &undone), {"from_customer_id"}, kInvalid);
  expect_refused(unmerge("a", &undone), {"merged into nobody"});
  merge("a", "b");
  merge("b", "c");
  for (const bool validate_only : {true, false}) {
    expect_refused(merge("c", "a", &merged, {}, validate_only), {"'c'", "'a'", "circle"});
    expect_refused(merge("a", "z", &merged, {}, validate_only), {"'a'", "'b'", "'z'"});
    expect_refused(unmerge("c", &undone, {}, validate_only), {"'c'"});
  }
  EXPECT_TRUE(merge("z", "a", &merged, {}, true).ok());
  EXPECT_EQ(merged.ByteSizeLong(), 0u);
  EXPECT_TRUE(unmerge("a", &undone, {}, true).ok());
  EXPECT_EQ(undone.ByteSizeLong(), 0u);
  record("a", "item3");
  EXPECT_EQ(recommend("c").events_used(), 1) << "still one person";
  EXPECT_EQ(recommend("z").events_used(), 0);
  serving_.reset();
  start(options());  // without a store
  expect_refused(merge("a", "b", &merged), {"--store"});
  expect_refused(unmerge("a", &undone), {"--store"});
}

TEST_F(MergeCalls, ErasingOneErasesAllOfThePersonAndTheRowsOfTheModel) {
  record("visitor", "item3");
  record("customer0", "item9");
  merge("visitor", "customer0");
  merge("customer1", "customer0");
  EXPECT_TRUE(profile("customer1").known());
  const v1::EraseCustomerResponse receipt = erase("visitor");
  EXPECT_EQ(receipt.events(), 2);
  for (int round = 0; round < 3; ++round) {
    for (const char* id : {"visitor", "customer0", "customer1"}) {
      EXPECT_EQ(bytes_without_name(recommend(id)), bytes_without_name(recommend("never seen"))) << id;
      EXPECT_FALSE(profile(id).known()) << id;
    }
    EXPECT_TRUE(profile("customer2").known());
    if (round == 0) restart_with_store();
    if (round == 1) {
      publish(random_shop(60, 10, 8, 6));  // of the same files
      ASSERT_TRUE(serving_->models().refresh().ok());
    }
  }
  EXPECT_THAT(exported("customer0"), SizeIs(2)) << "an empty profile and the erasure";
}

TEST_F(MergeCalls, ExportsAreOfAllIdsOfThePerson) {
  record("visitor", "item3");
  record("customer0", "item9");
  record("stranger", "item1");
  v1::SetAttributesRequest request;
  for (const std::string id : {"visitor", "customer0"}) {
    request.set_customer_id(id);
    (*request.mutable_attributes())["city"].set_text("of " + id);
    v1::SetAttributesResponse response;
    ASSERT_TRUE(call_method(&v1::Profiles::Stub::SetAttributes, request, &response).ok());
  }
  const v1::MergeCustomersResponse merged = merge("visitor", "customer0");
  for (const std::string id : {"visitor", "customer0"}) {
    const auto pieces = exported(id);
    ASSERT_THAT(pieces, SizeIs(6));
    EXPECT_EQ(pieces[0].merge().from_customer_id(), "visitor");
    EXPECT_EQ(pieces[0].merge().into_customer_id(), "customer0");
    EXPECT_EQ(pieces[0].merge().merge_time().SerializeAsString(), merged.merge_time().SerializeAsString());
    EXPECT_EQ(pieces[1].event().customer_id(), "visitor");
    EXPECT_EQ(pieces[1].event().event().item_id(), "item3");
    EXPECT_EQ(pieces[2].event().customer_id(), "customer0");
    EXPECT_EQ(pieces[3].attribute().customer_id(), "customer0") << "who has the word comes first";
    EXPECT_EQ(pieces[4].attribute().value().text(), "of visitor");
    EXPECT_EQ(pieces[5].profile().customer_id(), id);
    EXPECT_TRUE(pieces[5].profile().known());
  }
  const v1::UnmergeCustomersResponse undone = unmerge("visitor");
  EXPECT_THAT(exported("customer0"), SizeIs(4));
  const auto apart = exported("visitor");
  ASSERT_THAT(apart, SizeIs(4));
  EXPECT_EQ(apart[0].merge().into_customer_id(), "customer0");
  EXPECT_EQ(apart[0].merge().undone_version(), undone.profile_version());
  EXPECT_THAT(exported("stranger"), SizeIs(2)) << "an event and a profile";
  merge("stranger", "customer0");
  const auto again = exported("stranger");
  ASSERT_THAT(again, SizeIs(6));
  EXPECT_EQ(again[0].merge().from_customer_id(), "visitor");
  EXPECT_EQ(again[1].merge().from_customer_id(), "stranger");
  EXPECT_EQ(again[1].merge().undone_version(), 0);
  erase("visitor");
  EXPECT_EQ(exported("customer0")[0].merge().from_customer_id(), "") << "nobody says who was erased";
}

TEST_F(MergeCalls, WhoIsAskedForIsNotSimilarToThemself) {
  const auto similar = [&](const std::string& id) {
    v1::SimilarCustomersRequest request;
    request.set_customer_id(id);
    request.set_k(20);
    v1::SimilarCustomersResponse response;
    EXPECT_TRUE(call_method(&v1::Audiences::Stub::SimilarCustomers, request, &response).ok());
    std::vector<std::string> out;
    for (const auto& row : response.results()) out.push_back(row.customer_id());
    return out;
  };
  EXPECT_THAT(similar("customer0"), Contains("customer1"));
  merge("customer1", "customer0");
  for (int round = 0; round < 2; ++round)  // solved, then kept
    for (const char* id : {"customer0", "customer1"}) {
      EXPECT_THAT(similar(id), SizeIs(8));
      EXPECT_THAT(similar(id), Not(Contains("customer0")));
      EXPECT_THAT(similar(id), Not(Contains("customer1")));
    }
}

// Readers who keep solving and keeping profiles the whole time do not bring an old one back.
TEST_F(MergeCalls, EveryAnswerAfterTheAcknowledgementCountsItWhateverOthersAsk) {
  record("visitor", "item3");
  record("customer", "item9");
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r)
    readers.emplace_back([&] {
      while (!done)
        for (const char* id : {"visitor", "customer"}) recommend(id);
    });
  for (int round = 0; round < 40; ++round) {
    const int64_t merged = merge("visitor", "customer").profile_version();
    for (const char* id : {"visitor", "customer"}) {
      const auto both = recommend(id);
      EXPECT_EQ(both.events_used(), 2) << id;
      EXPECT_EQ(both.profile_version(), merged);
    }
    const int64_t undone = unmerge("visitor").profile_version();
    for (const char* id : {"visitor", "customer"}) {
      const auto alone = recommend(id);
      EXPECT_EQ(alone.events_used(), 1) << id;
      EXPECT_EQ(alone.profile_version(), undone);
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(MergeCalls, CommandsSayWhatBecameOfIt) {
  const auto run = [&](const std::string& words) {
    CLI::App app;
    int exit_code = 0;
    add_merge_commands(app, exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse(words + " --server " + serving_->address());
    } catch (const CLI::ParseError&) {
      exit_code = 2;
    }
    const std::string out = testing::internal::GetCapturedStdout();
    return std::to_string(exit_code) + " " + out + testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(
      run("merge visitor customer0"),
      AllOf(HasSubstr("0 visitor is merged, and is customer0 now, profile version 1; `bouquet unmerge` until 2"), HasSubstr("UTC")));
  EXPECT_THAT(run("merge visitor customer0 --json"), AllOf(HasSubstr("\"repeated_request\":true"), HasSubstr("\"visitor\"")));
  EXPECT_THAT(run("merge customer0 visitor"), AllOf(Not(StartsWith("0")), HasSubstr("round in a circle")));
  EXPECT_EQ(run("unmerge visitor"), "0 visitor is taken out of customer0, profile version 2\n");
  EXPECT_THAT(run("unmerge visitor"), AllOf(Not(StartsWith("0")), HasSubstr("merged into nobody")));
  EXPECT_EQ(run("merge visitor").substr(0, 1), "2");
  EXPECT_THAT(recommend("visitor").results(), Not(IsEmpty()));
}

}  // namespace
}  // namespace bouquet::server
