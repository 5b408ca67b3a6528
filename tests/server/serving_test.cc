#include "server/serving.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/recommender.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ServingTest : public TestServer {
 protected:
  grpc::Status recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return stub()->Recommend(&context, request, response);
  }
  std::unique_ptr<v1::Models::Stub> models() const { return v1::Models::NewStub(channel_to(serving_->admin_grpc_address())); }
  httplib::Result page(const char* path) const { return httplib::Client("http://" + serving_->admin_address()).Get(path); }
};

v1::RecommendRequest request_of(const std::string& customer) {
  v1::RecommendRequest request;
  request.set_customer_id(customer);
  return request;
}

// Calls a method by name with any bytes.
grpc::Status call_raw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  const grpc::Slice slice(bytes);
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer out;
  grpc::Status status;
  call->Finish(&out, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

TEST_F(ServingTest, AnswersAsTheRecommenderDoesOffline) {
  TinyShop shop = random_shop(100, 12, 8, 5);
  shop.repurchase_share = 0.4;
  for (int b = 0; b < 40; ++b) shop.baskets.push_back({b % 10, 10 + b % 5});
  const std::string version = publish(shop);
  start(options());
  auto directory = ModelsDirectory::open(models_);
  auto served = ServedModel::load(*directory->load_current(), *backend_);
  auto offline = Recommender::make(**served, 1);
  for (int c = 0; c < 14; ++c) {  // two of them unknown
    v1::RecommendRequest request = request_of("customer" + std::to_string(c));
    request.set_include_purchased(c % 2 == 0);
    v1::RecommendResponse online, expected;
    ASSERT_TRUE(recommend(request, &online).ok());
    ASSERT_TRUE((*offline)->recommend(request, &expected).ok());
    EXPECT_EQ(bytes_without_name(online), bytes_without_name(expected));
    EXPECT_EQ(online.model_version(), version);
  }
  v1::SimilarItemsRequest similar;
  similar.set_item_id("item3");
  v1::SimilarItemsResponse similar_online, similar_expected;
  grpc::ClientContext similar_context;
  ASSERT_TRUE(stub()->SimilarItems(&similar_context, similar, &similar_online).ok());
  ASSERT_TRUE((*offline)->similar_items(similar, &similar_expected).ok());
  EXPECT_EQ(bytes_without_name(similar_online), bytes_without_name(similar_expected));
  v1::CrossSellRequest basket;
  basket.add_item_ids("item1");
  v1::CrossSellResponse basket_online, basket_expected;
  grpc::ClientContext basket_context;
  ASSERT_TRUE(stub()->CrossSell(&basket_context, basket, &basket_online).ok());
  ASSERT_TRUE((*offline)->cross_sell(basket, &basket_expected).ok());
  EXPECT_EQ(bytes_without_name(basket_online), bytes_without_name(basket_expected));
}

TEST_F(ServingTest, BadFieldsAreNamed) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  v1::RecommendRequest request = request_of(std::string(129, 'x'));
  request.set_k(1001);
  v1::RecommendResponse response;
  const grpc::Status status = recommend(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::BadRequest bad;
  ASSERT_EQ(details_of(status).details_size(), 1);
  ASSERT_TRUE(details_of(status).details(0).UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(0).field(), "customer_id");
  EXPECT_EQ(bad.field_violations(1).field(), "k");
}

TEST_F(ServingTest, MalformedBytesAreTheCallersFault) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  const auto connection = channel();
  // A length that runs past the end; a wire type that does not exist; text that is not UTF-8.
  for (const char* bytes : {"\x0a\x7f", "\x0f\x01\x01", "\x0a\x01\xff"})
    for (const char* method : {"Recommend", "SimilarItems", "CrossSell", "BatchRecommend"})
      EXPECT_EQ(call_raw(connection, "/bouquet.v1.Recommendations/" + std::string(method), bytes).error_code(),
                grpc::StatusCode::INVALID_ARGUMENT)
          << method;
}

TEST_F(ServingTest, BatchRecommendAnswersInOrderAndFailsOneByOne) {
  publish(random_shop(50, 10, 4, 2));
  start(options());
  v1::BatchRecommendRequest batch;
  for (int i = 0; i < 200; ++i) *batch.add_requests() = request_of("customer" + std::to_string(i % 11));
  batch.mutable_requests(70)->set_k(-1);
  batch.mutable_requests(131)->mutable_visitor()->add_events()->set_item_id("item1");
  batch.mutable_requests(131)->mutable_visitor()->mutable_events(0)->set_type("teleport");
  grpc::ClientContext context;
  const auto client = stub();
  const auto reader = client->BatchRecommend(&context, batch);
  v1::BatchRecommendResponse answer;
  int index = 0;
  for (; reader->Read(&answer); ++index) {
    EXPECT_EQ(answer.index(), index);
    if (index == 70 || index == 131) {
      EXPECT_EQ(answer.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_EQ(answer.error().details_size(), 1);
      continue;
    }
    v1::RecommendResponse alone;
    if (index % 40 == 0) {
      ASSERT_TRUE(recommend(batch.requests(index), &alone).ok());
      EXPECT_EQ(bytes_without_name(answer.response()), bytes_without_name(alone));
    }
    EXPECT_EQ(answer.response().results_size(), 10);
  }
  EXPECT_EQ(index, 200);
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServingTest, AnEmptyBatchIsRefused) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  grpc::ClientContext context;
  const auto client = stub();
  const auto reader = client->BatchRecommend(&context, v1::BatchRecommendRequest());
  v1::BatchRecommendResponse answer;
  EXPECT_FALSE(reader->Read(&answer));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServingTest, UnbuiltMethodsAnswerUnimplemented) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  const auto connection = channel();
  for (const char* name : {"/bouquet.v1.Recommendations/Rank", "/bouquet.v1.Audiences/FindAudience",
                           "/bouquet.v1.Models/ListModels"})  // Models is on the admin listener alone
    EXPECT_EQ(call_raw(connection, name, "").error_code(), grpc::StatusCode::UNIMPLEMENTED) << name;
}

TEST_F(ServingTest, MessagesPastTheLimitAreRefused) {
  publish(random_shop(5, 1, 2, 1));
  start(options());
  v1::RecommendRequest request = request_of("c");
  for (int i = 0; i < 9000; ++i) request.add_exclude_item_ids(std::string(128, 'i'));
  ASSERT_GT(request.ByteSizeLong(), size_t{1} << 20);
  grpc::ClientContext context;
  // gRPC keeps a timer of a refused call until its deadline.
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  v1::RecommendResponse response;
  EXPECT_EQ(stub()->Recommend(&context, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ServingTest, ModelsCanBeListedActivatedAndRolledBack) {
  const std::string first = publish(random_shop(5, 1, 2, 1));
  const std::string second = publish(random_shop(6, 1, 2, 2));
  const std::string third = publish(random_shop(7, 1, 2, 3), false);
  start(options());
  const auto client = models();
  v1::ListModelsResponse list;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(client->ListModels(&context, {}, &list).ok());
  }
  ASSERT_EQ(list.models_size(), 3);
  EXPECT_EQ(list.models(0).version(), third);
  EXPECT_EQ(list.models(0).item_count(), 7);
  EXPECT_FALSE(list.models(0).serving());
  EXPECT_TRUE(list.models(1).serving() && list.models(1).current());
  EXPECT_EQ(list.models(1).dimension(), 2);

  v1::ActivateModelRequest activate;
  activate.set_version(third);
  activate.set_validate_only(true);
  v1::ActivateModelResponse activated;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(client->ActivateModel(&context, activate, &activated).ok());
    EXPECT_FALSE(activated.model().serving());
  }
  activate.set_validate_only(false);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(client->ActivateModel(&context, activate, &activated).ok());
    EXPECT_TRUE(activated.model().serving() && activated.model().current());
  }
  v1::RecommendResponse response;
  ASSERT_TRUE(recommend(request_of("customer0"), &response).ok());
  EXPECT_EQ(response.model_version(), third);

  v1::RollBackResponse rolled;
  for (const std::string& expected : {second, first}) {
    grpc::ClientContext context;
    ASSERT_TRUE(client->RollBack(&context, {}, &rolled).ok());
    EXPECT_EQ(rolled.model().version(), expected);
  }
  grpc::ClientContext context;
  EXPECT_EQ(client->RollBack(&context, {}, &rolled).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  grpc::ClientContext unknown_context;
  v1::GetModelRequest unknown;
  unknown.set_version("no such version");
  v1::Model model;
  EXPECT_EQ(client->GetModel(&unknown_context, unknown, &model).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServingTest, ModelsAreListedPageByPage) {
  std::vector<std::string> versions;
  for (unsigned i = 0; i < 5; ++i) versions.push_back(publish(random_shop(3, 1, 2, i)));
  start(options());
  std::vector<std::string> seen;
  v1::ListModelsRequest request;
  request.set_page_size(2);
  do {
    grpc::ClientContext context;
    v1::ListModelsResponse page;
    ASSERT_TRUE(models()->ListModels(&context, request, &page).ok());
    for (const auto& model : page.models()) seen.push_back(model.version());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::reverse(seen.begin(), seen.end());
  EXPECT_EQ(seen, versions);
}

TEST_F(ServingTest, AdminPagesTellWhatGoesOn) {
  const std::string version = publish(random_shop(5, 2, 2, 1));
  start(options());
  v1::RecommendResponse response;
  ASSERT_TRUE(recommend(request_of("customer0"), &response).ok());
  v1::RecommendRequest bad;
  EXPECT_FALSE(recommend(bad, &response).ok());
  EXPECT_EQ(page("/healthz")->status, 200);
  EXPECT_EQ(page("/readyz")->status, 200);
  const std::string metrics = page("/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("bouquet_calls_total{code=\"OK\",method=\"Recommend\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("bouquet_calls_total{code=\"INVALID_ARGUMENT\",method=\"Recommend\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("bouquet_call_seconds_count{method=\"Recommend\"} 2"));
  EXPECT_THAT(metrics, HasSubstr("bouquet_model_info{version=\"" + version + "\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("bouquet_batch_size_count 1"));
  for (const char* name : {"bouquet_queue_depth 0", "bouquet_model_age_seconds", "bouquet_backend_info{backend=\"cpu\"} 1",
                           "process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total"})
    EXPECT_THAT(metrics, HasSubstr(name));
  EXPECT_THAT(metrics, Not(HasSubstr("customer0")));
}

TEST_F(ServingTest, WithoutAModelItDoesNotStartUnlessToldToWait) {
  EXPECT_EQ(Serving::start(options(), *backend_).status().code(), absl::StatusCode::kNotFound);
  ServingOptions waiting = options();
  waiting.wait_for_model = true;
  start(waiting);
  EXPECT_EQ(page("/readyz")->status, 503);
  v1::RecommendResponse response;
  EXPECT_EQ(recommend(request_of("customer0"), &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  publish(random_shop(5, 1, 2, 1));
  EXPECT_TRUE(serving_->models().refresh().ok());
  EXPECT_EQ(page("/readyz")->status, 200);
  EXPECT_TRUE(recommend(request_of("customer0"), &response).ok());
}

TEST_F(ServingTest, RefusesToBeReachedFromElsewhereUnlessToldTo) {
  publish(random_shop(5, 1, 2, 1));
  for (const char* address : {"0.0.0.0:0", "[::]:0", "example.com:1"}) {
    ServingOptions remote = options();
    remote.listen = address;
    EXPECT_EQ(Serving::start(remote, *backend_).status().code(), absl::StatusCode::kInvalidArgument) << address;
    remote = options();
    remote.admin = address;
    EXPECT_EQ(Serving::start(remote, *backend_).status().code(), absl::StatusCode::kInvalidArgument) << address;
    remote = options();
    remote.admin_grpc = address;
    remote.allow_remote = true;  // Models stays on this machine all the same
    EXPECT_EQ(Serving::start(remote, *backend_).status().code(), absl::StatusCode::kInvalidArgument) << address;
  }
  ServingOptions allowed = options();
  allowed.listen = "0.0.0.0:0";
  allowed.allow_remote = true;
  EXPECT_TRUE(Serving::start(allowed, *backend_).ok());
}

TEST_F(ServingTest, ATakenAddressIsAnErrorThatNamesIt) {
  publish(random_shop(5, 1, 2, 1));
  ServingOptions first = options();
  first.listen = "127.0.0.1:0";
  start(first);
  ServingOptions second = options();
  second.listen = serving_->address();
  second.admin = second.admin_grpc = "";
  auto again = Serving::start(second, *backend_);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(again.status().ToString(), HasSubstr(serving_->address()));
  second.listen = first.admin_grpc;  // a Unix socket that a server answers at
  EXPECT_EQ(Serving::start(second, *backend_).status().code(), absl::StatusCode::kResourceExhausted);
  second.listen = options().listen;
  second.admin = serving_->admin_address();
  EXPECT_EQ(Serving::start(second, *backend_).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ServingTest, ReflectionIsThereOnlyWhenAskedFor) {
  publish(random_shop(5, 1, 2, 1));
  for (const bool reflection : {false, true}) {
    ServingOptions asked = options();
    asked.grpc.reflection = reflection;
    serving_.reset();
    start(asked);
    const grpc::Status status = call_raw(channel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "");
    EXPECT_EQ(status.error_code() == grpc::StatusCode::UNIMPLEMENTED, !reflection) << status.error_message();
  }
}

}  // namespace
}  // namespace bouquet::server
