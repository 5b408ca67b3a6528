// EraseCustomer over gRPC: who was erased is nobody in every answer, at once, after a restart and with the next model of files; nobody else
// is touched.
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "server/event_store/store_snapshot.h"
#include "server/recommend_command.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ErasureCalls : public TestServer {
 protected:
  void SetUp() override {
    publish(shop_);
    start_with_store();
  }
  int record(const std::string& customer, const std::string& item, int64_t seconds = 0) {
    v1::Event event;
    event.set_item_id(item);
    if (seconds != 0) event.mutable_time()->set_seconds(seconds);
    return send(customer, event).code();
  }
  v1::Profile profile(const std::string& customer) {
    v1::GetProfileRequest request;
    request.set_customer_id(customer);
    request.set_history(100);
    request.set_embedding(true);
    request.set_neighbors(20);
    v1::Profile response;
    const grpc::Status status = call_method(&v1::Profiles::Stub::GetProfile, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  v1::SimilarCustomersResponse similar(const std::string& customer) {
    v1::SimilarCustomersRequest request;
    request.set_customer_id(customer);
    request.set_k(20);
    v1::SimilarCustomersResponse response;
    const grpc::Status status = call_method(&v1::Audiences::Stub::SimilarCustomers, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  template <typename Rows>
  static std::vector<std::string> customers(const Rows& rows) {
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.push_back(row.customer_id());
    return ids;
  }
  v1::RecommendResponse in_a_batch(const std::string& customer) {
    v1::BatchRecommendRequest request;
    request.add_requests()->set_customer_id(customer);
    grpc::ClientContext context;
    const auto recommendations = stub();
    const auto stream = recommendations->BatchRecommend(&context, request);
    v1::BatchRecommendResponse response;
    EXPECT_TRUE(stream->Read(&response));
    stream->Finish();
    return response.response();
  }
  v1::ExplainResponse explain(const std::string& customer) {
    v1::ExplainRequest request;
    request.set_customer_id(customer);
    request.add_item_ids("item0");
    v1::ExplainResponse response;
    EXPECT_TRUE(call_method(&v1::Recommendations::Stub::Explain, request, &response).ok());
    return response;
  }
  grpc::Status next_best_action(const std::string& customer) {
    v1::NextBestActionRequest request;
    request.set_customer_id(customer);
    v1::NextBestActionResponse response;
    return call_method(&v1::Recommendations::Stub::NextBestAction, request, &response);
  }
  // All answers for a customer whom the model has a row of.
  void expect_known(const std::string& customer) {
    EXPECT_THAT(recommend(customer).shortfall(), IsEmpty());
    EXPECT_TRUE(profile(customer).known());
    EXPECT_THAT(similar(customer).shortfall(), Not(Contains(v1::SHORTFALL_COLD_CUSTOMER)));
    EXPECT_THAT(explain(customer).shortfall(), IsEmpty());
    EXPECT_EQ(next_best_action(customer).error_code(), grpc::StatusCode::FAILED_PRECONDITION) << "the shop is not calibrated";
    EXPECT_EQ(in_a_batch(customer).results(0).source(), v1::SOURCE_MODEL);
    EXPECT_THAT(customers(similar("customer1").results()), Contains(customer));
    EXPECT_THAT(customers(profile("customer1").neighbors()), Contains(customer));
  }
  // All answers for a customer of whom nobody knows anything; their bytes are those for an id that never was.
  void expect_nobody(const std::string& customer) {
    const auto same = [&](auto with, auto without) {
      with.clear_customer_id();
      without.clear_customer_id();
      EXPECT_EQ(bytes_without_name(with), bytes_without_name(without));
    };
    EXPECT_EQ(bytes_without_name(recommend(customer)), bytes_without_name(recommend("never seen")));
    EXPECT_EQ(bytes_without_name(in_a_batch(customer)), bytes_without_name(recommend("never seen")));
    EXPECT_EQ(bytes_without_name(explain(customer)), bytes_without_name(explain("never seen")));
    EXPECT_EQ(bytes_without_name(similar(customer)), bytes_without_name(similar("never seen")));
    same(profile(customer), profile("never seen"));
    EXPECT_FALSE(profile(customer).known());
    EXPECT_TRUE(next_best_action(customer).ok());
    EXPECT_THAT(customers(similar("customer1").results()), Not(Contains(customer)));
    EXPECT_THAT(customers(profile("customer1").neighbors()), Not(Contains(customer)));
  }

  const TinyShop shop_ = random_shop(60, 10, 8, 5);
};

TEST_F(ErasureCalls, WhoIsErasedIsNobodyInEveryAnswerFromThenOn) {
  record("customer0", "item3");
  const auto other = recommend("customer2");
  expect_known("customer0");
  const v1::EraseCustomerResponse receipt = erase("customer0");
  expect_nobody("customer0");
  EXPECT_EQ(receipt.events(), 1);
  EXPECT_EQ(receipt.profile_version(), 2);
  EXPECT_THAT(receipt.receipt_id(), testing::EndsWith("-2"));
  EXPECT_GT(receipt.erase_time().seconds(), 1'700'000'000);
  expect_known("customer2");
  EXPECT_EQ(bytes_without_name(recommend("customer2")), bytes_without_name(other));
  restart_with_store();
  expect_nobody("customer0");
  // The next model is of the same files.
  publish(random_shop(60, 10, 8, 6));
  ASSERT_TRUE(serving_->models().refresh().ok());
  expect_nobody("customer0");
  expect_known("customer2");
}

TEST_F(ErasureCalls, WhoIsKnownToTheModelAloneCanBeErased) {
  expect_known("customer4");
  const v1::EraseCustomerResponse receipt = erase("customer4");
  EXPECT_EQ(receipt.events(), 0);
  expect_nobody("customer4");
}

TEST_F(ErasureCalls, WhoComesBackIsAnsweredByWhatIsNew) {
  erase("customer0");
  EXPECT_EQ(record("customer0", "item9", 1'000'000), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  expect_nobody("customer0");
  EXPECT_EQ(record("customer0", "item3"), 0);
  EXPECT_EQ(record("never seen before", "item3"), 0);
  for (int round = 0; round < 2; ++round) {
    v1::RecommendResponse back = recommend("customer0"), first_time = recommend("never seen before");
    EXPECT_EQ(back.profile_version(), 2);
    EXPECT_EQ(back.events_used(), 1);
    back.clear_profile_version();
    first_time.clear_profile_version();
    EXPECT_EQ(bytes_without_name(back), bytes_without_name(first_time));
    EXPECT_FALSE(profile("customer0").known());
    restart_with_store();
  }
  // Trained with the store since: the row is of the new life.
  Artifact artifact = random_shop(60, 10, 8, 7).artifact();
  const auto snapshot = StoreSnapshot::open(store_);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  artifact.recipe.store = {(*snapshot)->store_identity(), (*snapshot)->newest_sequence()};
  publish(artifact);
  ASSERT_TRUE(serving_->models().refresh().ok());
  expect_known("customer0");
  EXPECT_EQ(recommend("customer0").profile_version(), 0);
  // Trained with another store: it is not.
  artifact.recipe.store.identity = "another";
  publish(artifact);
  ASSERT_TRUE(serving_->models().refresh().ok());
  EXPECT_FALSE(profile("customer0").known());
}

TEST_F(ErasureCalls, ARepeatedRequestGetsTheFirstReceiptAlsoAfterARestart) {
  v1::EraseCustomerResponse first = erase("customer0", "r1");
  EXPECT_FALSE(first.repeated_request());
  record("customer0", "item3");
  restart_with_store();
  v1::EraseCustomerResponse again = erase("customer0", "r1");
  EXPECT_TRUE(again.repeated_request());
  again.clear_repeated_request();
  EXPECT_EQ(bytes_without_name(again), bytes_without_name(first));
  EXPECT_EQ(recommend("customer0").events_used(), 1);
  v1::EraseCustomerRequest other;
  other.set_customer_id("customer1");
  other.set_request_id("r1");
  EXPECT_EQ(call_method(&v1::Profiles::Stub::EraseCustomer, other, &again).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  expect_known("customer2");
}

TEST_F(ErasureCalls, WhatIsWrongErasesNothing) {
  v1::EraseCustomerRequest request;
  v1::EraseCustomerResponse response;
  EXPECT_EQ(call_method(&v1::Profiles::Stub::EraseCustomer, request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_customer_id("customer0");
  request.set_request_id(std::string(129, 'r'));
  EXPECT_EQ(call_method(&v1::Profiles::Stub::EraseCustomer, request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.clear_request_id();
  request.set_validate_only(true);
  EXPECT_TRUE(call_method(&v1::Profiles::Stub::EraseCustomer, request, &response).ok());
  EXPECT_EQ(response.ByteSizeLong(), 0u);
  expect_known("customer0");
  serving_.reset();
  start(options());  // without a store
  request.set_validate_only(false);
  EXPECT_EQ(call_method(&v1::Profiles::Stub::EraseCustomer, request, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ErasureCalls, FilesForEverybodyAreWithoutThemWhereTheStoreIsNamed) {
  record("customer0", "item3");
  erase("customer0");
  erase("customer1");
  record("customer1", "item4");  // is back
  const auto customers_of_file = [&](const std::string& more) {
    const std::string out = folder_.path() + "/everybody.jsonl";
    CLI::App app;
    int exit_code = 0;
    add_recommend_command(
        app, [](const BackendChoice&) { return cpu::make_cpu_backend(1); }, exit_code);
    ::testing::internal::CaptureStderr();
    app.parse("recommend --models " + models_ + " --all --out " + out + " -k 3 " + more);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(exit_code, 0) << said;
    std::ifstream file(out);
    std::vector<std::string> ids;
    for (std::string line; std::getline(file, line);) {
      const size_t begin = line.find("customer_id") + 14;
      ids.push_back(line.substr(begin, line.find('"', begin) - begin));
    }
    return ids;
  };
  const auto all = customers_of_file("");
  EXPECT_THAT(all, AllOf(SizeIs(shop_.artifact().customer_ids.size()), Contains("customer0")));
  const auto left = customers_of_file("--store " + store_);
  EXPECT_THAT(left, AllOf(SizeIs(all.size() - 1), Not(Contains("customer0")), Contains("customer1"), Contains("customer2")));
}

}  // namespace
}  // namespace bouquet::server
