// The same over a real connection, for what only gRPC can run: streams, the Models service, and the bytes of a call.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/call_messages.h"
#include "server/event_store/store_check.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;

constexpr int kCalls = 2500;
constexpr auto kLongest = std::chrono::seconds(6);

// What one call brought back.
struct Outcome {
  grpc::Status status;
  std::vector<grpc::ByteBuffer> messages;
};

// Calls any method, unary or not, with any bytes.
Outcome call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto stream = stub.PrepareCall(&context, method, &queue);
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice slice(bytes);
  stream->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  Outcome outcome;
  for (;;) {
    grpc::ByteBuffer message;
    stream->Read(&message, nullptr);
    queue.Next(&tag, &ok);
    if (!ok) break;
    outcome.messages.push_back(message);
  }
  stream->Finish(&outcome.status, nullptr);
  queue.Next(&tag, &ok);
  return outcome;
}

template <typename Request>
void internal_only_if_malformed(const std::string& bytes, const Outcome& outcome) {
  Request request;
  if (request.ParseFromString(bytes)) {
    ASSERT_NE(outcome.status.error_code(), StatusCode::INTERNAL) << request.ShortDebugString();
  }
}

class WireFuzz : public TestServer {
 protected:
  WireFuzz() {
    for (unsigned i = 0; i < 3; ++i) versions_.push_back(publish(random_shop(40, 8, 4, i)));
    ServingOptions made = options();
    made.admin = "";
    start(made);
  }
  std::vector<std::string> strings() const {
    std::vector<std::string> known = {"item3", "item7", "item12", "customer1", "customer2", "purchase", "view", "rating"};
    known.insert(known.end(), versions_.begin(), versions_.end());
    return known;
  }

  // Sends mutated messages to `methods` in turn. `check` looks at every outcome.
  template <typename Request>
  void fuzz(unsigned seed, const std::string& address, const std::vector<std::string>& methods, const std::set<StatusCode>& documented,
            const std::function<void(const std::string& bytes, const Outcome&)>& check = nullptr) {
    fuzz::MessageMutator mutator(seed, strings());
    const auto connection = channel_to(address);
    const auto end = std::chrono::steady_clock::now() + kLongest;
    std::map<int, int> counts;
    int calls = 0;
    for (; calls < kCalls && std::chrono::steady_clock::now() < end; ++calls) {
      Request request;
      mutator.fill(request);
      const std::string bytes = mutator.bytes_of(request);
      if (bytes.size() > (1 << 20)) continue;  // gRPC's own limit, which serving_test looks at
      const Outcome outcome = call(connection, methods[static_cast<size_t>(calls) % methods.size()], bytes);
      ++counts[outcome.status.error_code()];
      ASSERT_TRUE(documented.contains(outcome.status.error_code()))
          << outcome.status.error_code() << " " << outcome.status.error_message() << "\n"
          << request.ShortDebugString();
      if (check) check(bytes, outcome);
    }
    std::printf("%d calls", calls);
    for (const auto& [code, count] : counts) std::printf(", %d of code %d", count, code);
    std::printf("\n");
    EXPECT_GT(counts[StatusCode::OK], 0);
    EXPECT_GT(counts[StatusCode::INVALID_ARGUMENT], 0);
  }

  std::vector<std::string> versions_;
};

TEST_F(WireFuzz, EveryRequestIsAnsweredWithADocumentedStatus) {
  // NOT_FOUND: a message is read as the request of whichever method it goes to.
  fuzz<v1::RecommendRequest>(
      21, serving_->address(),
      {"/bouquet.v1.Recommendations/Recommend", "/bouquet.v1.Recommendations/SimilarItems", "/bouquet.v1.Recommendations/CrossSell",
       "/bouquet.v1.Recommendations/BatchRecommend", "/bouquet.v1.Recommendations/Explain", "/bouquet.v1.Profiles/GetProfile",
       "/bouquet.v1.Audiences/SimilarCustomers", "/bouquet.v1.Recommendations/NextBestAction"},
      {StatusCode::OK, StatusCode::INVALID_ARGUMENT, StatusCode::NOT_FOUND, StatusCode::FAILED_PRECONDITION});
}

TEST_F(WireFuzz, AStreamAnswersEveryRequestInOrderHoweverBadSomeAre) {
  fuzz<v1::BatchRecommendRequest>(22, serving_->address(), {"/bouquet.v1.Recommendations/BatchRecommend"},
                                  {StatusCode::OK, StatusCode::INVALID_ARGUMENT}, [](const std::string& bytes, const Outcome& outcome) {
                                    v1::BatchRecommendRequest request;
                                    if (!outcome.status.ok()) return;
                                    ASSERT_TRUE(request.ParseFromString(bytes));
                                    ASSERT_EQ(outcome.messages.size(), static_cast<size_t>(request.requests_size()));
                                    for (int i = 0; i < request.requests_size(); ++i) {
                                      v1::BatchRecommendResponse answer;
                                      ASSERT_TRUE(parse_message(outcome.messages[static_cast<size_t>(i)], &answer));
                                      ASSERT_EQ(answer.index(), i);
                                      ASSERT_TRUE(answer.has_response() || answer.error().code() == StatusCode::INVALID_ARGUMENT ||
                                                  answer.error().code() == StatusCode::NOT_FOUND ||
                                                  answer.error().code() == StatusCode::FAILED_PRECONDITION)  // a version without a store
                                          << answer.error().ShortDebugString();
                                    }
                                  });
}

TEST_F(WireFuzz, MergesWhateverTheyAreLeaveASoundStore) {
  serving_.reset();
  start_with_store();
  const std::set<StatusCode> documented = {StatusCode::OK, StatusCode::INVALID_ARGUMENT, StatusCode::FAILED_PRECONDITION,
                                           StatusCode::ALREADY_EXISTS};
  const std::string service = "/bouquet.v1.Profiles/";
  // A message is read as the request of whichever method it goes to.
  fuzz<v1::MergeCustomersRequest>(25, serving_->address(), {service + "MergeCustomers", service + "UnmergeCustomers"}, documented);
  const auto merged = check_store(store_);
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_THAT(merged->problems, testing::IsEmpty());
  EXPECT_GT(merged->merges, 0u);
  fuzz<v1::MergeCustomersRequest>(
      26, serving_->address(),
      {service + "MergeCustomers", service + "EraseCustomer", service + "UnmergeCustomers", service + "MergeCustomers"}, documented);
  const auto erased = check_store(store_);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_THAT(erased->problems, testing::IsEmpty());
  EXPECT_GT(erased->erasures, 0u);
}

TEST_F(WireFuzz, ModelsAnswersWithADocumentedStatusAndGoesOnServing) {
  // INTERNAL is gRPC's own answer to bytes that are no message: this service leaves the reading to it.
  const std::set<StatusCode> documented = {StatusCode::OK, StatusCode::INVALID_ARGUMENT, StatusCode::NOT_FOUND,
                                           StatusCode::FAILED_PRECONDITION, StatusCode::INTERNAL};
  const std::string service = "/bouquet.v1.Models/";
  fuzz<v1::ListModelsRequest>(23, serving_->admin_grpc_address(), {service + "ListModels"}, documented,
                              internal_only_if_malformed<v1::ListModelsRequest>);
  fuzz<v1::ActivateModelRequest>(24, serving_->admin_grpc_address(),
                                 {service + "ActivateModel", service + "GetModel", service + "RollBack"}, documented);
  EXPECT_TRUE(std::find(versions_.begin(), versions_.end(), serving_->models().serving()->model->version()) != versions_.end());
  EXPECT_EQ(serving_->models().directory().versions(), versions_);
}

}  // namespace
}  // namespace bouquet::server
