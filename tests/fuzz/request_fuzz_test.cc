// Every request that a client can send gets a documented answer, and leaves those beside it alone. Seeds are fixed; what is bounded is
// the number of requests, and the time.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/attribute_layout.h"
#include "server/call_messages.h"
#include "server/recommender.h"
#include "server/request_limits.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/tiny_shop.h"
#include "tests/server/wire_map.h"

namespace bouquet::server {
namespace {

using absl::StatusCode;

constexpr int kExecutions = 200000;
constexpr auto kLongest = std::chrono::seconds(12);
constexpr int kBatch = 8;

TinyShop fuzzed_shop() {
  TinyShop shop = random_shop(60, 20, 8, 3);
  shop.repurchase_share = 0.4;
  for (int b = 0; b < 60; ++b) shop.baskets.push_back({b % 10, 10 + b % 5});
  return shop;
}

std::vector<std::string> known_strings() {
  std::vector<std::string> strings = {"nobody",   "age",  "country", "DE",     "home",   "banner",
                                      "purchase", "view", "cart",    "rating", "return", "teleport"};
  for (int i = 0; i < 60; ++i) strings.push_back("item" + std::to_string(i));
  for (int c = 0; c < 5; ++c) strings.push_back("customer" + std::to_string(c));
  return strings;
}

// One that mixes, one that does not.
Placements placements() {
  return Placements({{.name = "home",
                      .kinds = 0b011,
                      .filter = "title != 'Title 3'",
                      .k = 3,
                      .mix = {{ItemKind::kProduct, 2}, {ItemKind::kContent, 1}},
                      .model = {},
                      .place = "shop.toml:1"},
                     {.name = "banner", .kinds = 0b001, .filter = "", .k = 0, .mix = {}, .model = {}, .place = "shop.toml:2"}});
}

// Most of what is made at random is refused for its placement, its attributes or how it is to be explained: leaves them out of some
// requests and mends others, so that what lies behind is reached.
template <typename Request>
void mend(fuzz::MessageMutator& mutator, const std::string& layout, Request& request) {
  if constexpr (requires { request.placement(); })
    if (const size_t which = mutator.below(8); which > 0) request.set_placement(which == 1 ? "home" : which == 2 ? "banner" : "");
  if constexpr (requires { request.clear_explain(); })
    if (mutator.below(2) == 0) request.clear_explain();
  if constexpr (requires { request.clear_exploration(); }) {
    if (const size_t which = mutator.below(4); which < 2) {
      request.clear_exploration();
    } else {
      request.mutable_exploration()->set_method(which == 2 ? v1::EXPLORATION_METHOD_THOMPSON : v1::EXPLORATION_METHOD_UCB);
      request.mutable_exploration()->set_scale(static_cast<double>(mutator.below(3)));
      if (mutator.below(4) > 0) request.clear_explain();
    }
  }
  if constexpr (requires { request.clear_as_of(); })
    if (mutator.below(8) > 0) request.clear_as_of();
  if constexpr (requires { request.clear_recipient_id(); }) {
    if (mutator.below(4) > 0) request.clear_recipient_id();
    if (mutator.below(8) == 0) {
      request.mutable_group()->clear_customer_ids();
      for (size_t i = 0, n = 1 + mutator.below(3); i < n; ++i) request.mutable_group()->add_customer_ids("customer" + std::to_string(i));
      request.mutable_group()->set_rule(mutator.below(2) == 0 ? v1::GROUP_RULE_MEAN : v1::GROUP_RULE_LEAST_MISERY);
      if (mutator.below(4) > 0) {
        request.clear_explain();
        request.clear_exploration();
        request.clear_include_stddev();
        request.clear_attributes();
        return request.clear_packed_attributes();
      }
    }
  }
  if constexpr (requires { request.clear_packed_attributes(); }) {
    if (mutator.below(2) == 0) request.clear_attributes();
    if (mutator.below(3) != 0) return request.clear_packed_attributes();
    v1::PackedAttributes& packed = *request.mutable_packed_attributes();
    packed.set_attribute_schema(layout);
    std::set<uint32_t> columns;
    for (size_t i = mutator.below(4); i > 0; --i) columns.insert(static_cast<uint32_t>(mutator.below(6)));
    packed.clear_columns();
    packed.clear_numbers();
    for (const uint32_t column : columns) {
      packed.add_columns(column);
      packed.add_numbers(static_cast<double>(mutator.below(3)));
    }
  }
}

// The rows of an answer, whichever it is.
const v1::RecommendedItem& item_of(const v1::RecommendedItem& row) { return row; }
const v1::RecommendedItem& item_of(const v1::CrossSellItem& row) { return row.item(); }

template <typename Request, typename Response>
struct Asked {
  Request request;
  Response response;
  std::unique_ptr<grpc::Slice> bytes = std::make_unique<grpc::Slice>();  // may not move
  WireAttributes wire = {};
};

// The same bytes for equal messages, maps among them.
std::string written(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return out;
}

// As the server reads a request; that must be what protobuf makes of the whole.
template <typename Request, typename Response>
bool read(const std::string& bytes, Asked<Request, Response>& asked) {
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer buffer(&slice, 1);
  if constexpr (requires(const Request& request) { request.attributes(); }) {
    Request whole, read;
    const bool expected = parse_message(buffer, &whole);
    const bool parsed = parse_request(buffer, &asked.request, asked.bytes.get(), &asked.wire);
    EXPECT_EQ(parsed, expected);
    if (!parsed || asked.wire.empty()) return parsed;
    read = asked.request;
    EXPECT_TRUE(read.attributes().empty());
    *read.mutable_attributes() = map_of(asked.wire);
    EXPECT_EQ(written(read), written(whole));
    return true;
  } else {
    return parse_message(buffer, &asked.request);
  }
}

template <typename Rows>
void expect_sum(const Rows& contributions, double score) {
  double sum = 0, size = 1;
  for (const v1::Contribution& part : contributions) {
    ASSERT_TRUE(std::isfinite(part.value()));
    if (part.source() == v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) continue;
    sum += part.value();
    size += std::abs(part.value());
  }
  ASSERT_NEAR(sum, score, 1e-9 * size);
}

// What must hold of every answer to a valid request.
void check_answer(const v1::ExplainRequest& request, const v1::ExplainResponse& response) {
  ASSERT_EQ(response.results_size() + response.unknown_item_ids_size(), request.item_ids_size());
  for (const v1::RecommendedItem& row : response.results()) {
    ASSERT_TRUE(std::isfinite(row.score()));
    if (row.source() != v1::SOURCE_MODEL) continue;
    ASSERT_NO_FATAL_FAILURE(expect_sum(row.contributions(), double{row.score()}));
  }
}

void check_answer(const v1::NextBestActionRequest& request, const v1::NextBestActionResponse& response) {
  ASSERT_LE(response.results_size(), rows_wanted(request.k()));
  double before = HUGE_VAL;
  for (const v1::ActionOffer& row : response.results()) {
    ASSERT_EQ(row.item().kind(), v1::ITEM_KIND_ACTION);
    ASSERT_TRUE(row.probability() >= 0 && row.probability() <= 1);
    ASSERT_LE(row.expected_value(), before);
    before = row.expected_value();
  }
}

void check_answer(const v1::GetProfileRequest& request, const v1::Profile& response) {
  ASSERT_EQ(response.model_version(), "v1");
  ASSERT_LE(response.neighbors_size(), request.neighbors());
  ASSERT_LE(response.history_size(), request.history());
  ASSERT_EQ(response.embedding_size(), request.embedding() ? 8 : 0);
  for (const v1::Interest& interest : response.interests()) ASSERT_NO_FATAL_FAILURE(expect_sum(interest.contributions(), interest.score()));
}

void check_answer(const v1::SimilarCustomersRequest& request, const v1::SimilarCustomersResponse& response) {
  ASSERT_LE(response.results_size(), rows_wanted(request.k()));
  const std::set<std::string> excluded(request.exclude_customer_ids().begin(), request.exclude_customer_ids().end());
  for (const v1::SimilarCustomer& row : response.results()) {
    ASSERT_FALSE(excluded.contains(row.customer_id()) || row.customer_id() == request.customer_id());
    ASSERT_TRUE(std::abs(row.score()) <= 1);
  }
}

template <typename Request, typename Response>
void check_answer(const Request& request, const Response& response) {
  ASSERT_LE(response.results_size(), rows_wanted(request.k()));
  ASSERT_EQ(response.model_version(), "v1");
  const std::set<std::string> excluded(request.exclude_item_ids().begin(), request.exclude_item_ids().end());
  std::set<std::string> seen;
  for (const auto& row : response.results()) {
    const v1::RecommendedItem& item = item_of(row);
    ASSERT_TRUE(std::isfinite(item.score())) << request.ShortDebugString() << "\n" << response.ShortDebugString();
    ASSERT_FALSE(excluded.contains(item.item_id()));
    ASSERT_TRUE(seen.insert(item.item_id()).second) << item.item_id() << " twice";
    ASSERT_NE(item.source(), v1::SOURCE_UNSPECIFIED);
    bool wanted = request.kinds().empty();
    for (int k = 0; k < request.kinds_size(); ++k) wanted |= request.kinds(k) == item.kind();
    ASSERT_TRUE(wanted);
  }
}

// The server's own path, without the network: parse, validate, answer in batches of other people's requests.
class RequestFuzz : public ::testing::Test {
 protected:
  RequestFuzz() {
    google::protobuf::SetLogHandler(nullptr);  // as the server does
    Artifact artifact = fuzzed_shop().artifact();
    // Every way that a value and an age can become a weight.
    artifact.rules.types[1].half_life_days = 1;
    artifact.rules.repurchase_half_life_days = 30;
    add_customer_attributes(artifact);
    layout_ = layout_version(artifact.customer_attributes.schema);
    CalibrationMap map;
    map.kind = ItemKind::kAction;
    map.scores = {-1, 1};
    map.probabilities = {0.1, 0.4};
    artifact.calibration.maps = {map};
    const auto d = static_cast<size_t>(artifact.model.dimension);
    std::vector<float> basis(d * d, 0);
    for (size_t j = 0; j < d; ++j) basis[j * d + j] = 1;
    basis.insert(basis.end(), d, 2);
    artifact.uncertainty = {.noise_variance = 0.2, .basis = std::move(basis), .items = {}};
    std::vector<std::string> categories;
    for (int i = 0; i < 60; ++i) categories.push_back("category " + std::to_string(i % 7));
    artifact.catalog.categories = string_column(categories);
    served_ = *ServedModel::load(std::make_shared<const Artifact>(std::move(artifact)), *backend_);
    recommender_ = *Recommender::make(*served_, kBatch, {.placements = &placements_, .actions = nullptr});
    bystander_.request.mutable_visitor()->add_events()->set_item_id("item3");
    recommender_->recommend(bystander_.request, &bystander_.response).IgnoreError();
    EXPECT_EQ(bystander_.response.results_size(), 10);
  }

  template <typename Request, typename Response>
  void fuzz(unsigned seed, const std::set<StatusCode>& documented) {
    fuzz::MessageMutator mutator(seed, known_strings());
    const auto end = std::chrono::steady_clock::now() + kLongest;
    std::vector<Asked<Request, Response>> batch;
    int executions = 0;
    for (; executions < kExecutions && std::chrono::steady_clock::now() < end && !HasFatalFailure(); ++executions) {
      Asked<Request, Response> asked;
      mutator.fill(asked.request);
      mend(mutator, layout_, asked.request);
      const std::string bytes = mutator.bytes_of(asked.request);
      if (!read(bytes, asked)) {
        ++counts_["malformed"];
        continue;
      }
      if (!asked.wire.empty()) ++counts_["with attributes in the bytes"];
      if (const absl::Status valid = validate(asked.request); !valid.ok()) {
        ASSERT_EQ(valid.code(), StatusCode::kInvalidArgument);
        ++counts_["refused"];
        continue;
      }
      batch.push_back(std::move(asked));
      if (batch.size() == kBatch - 1) answer(batch, documented);
    }
    std::printf("%d requests", executions);
    for (const auto& [what, count] : counts_) std::printf(", %d %s", count, what.c_str());
    std::printf("\n");
    // A fuzzer that gets nothing past the parser or the limits looks at nothing.
    EXPECT_GT(counts_["malformed"], executions / 50);
    EXPECT_GT(counts_["refused"], executions / 50);
    EXPECT_GT(counts_["OK"], executions / 100);
    if constexpr (requires(const Request& request) { request.attributes(); }) {
      EXPECT_GT(counts_["with attributes in the bytes"], executions / 100);
    }
  }

  template <typename Request, typename Response>
  void answer(std::vector<Asked<Request, Response>>& batch, const std::set<StatusCode>& documented) {
    v1::RecommendResponse beside;
    std::vector<Question> questions;
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&bystander_.request, &beside});
    for (auto& asked : batch) questions.push_back(Exchange<Request, Response>{&asked.request, &asked.response, &asked.wire});
    std::vector<absl::Status> statuses(questions.size());
    recommender_->answer(questions, statuses);
    for (size_t i = 0; i < batch.size(); ++i) {
      ASSERT_TRUE(documented.contains(statuses[i + 1].code())) << statuses[i + 1] << "\n" << batch[i].request.ShortDebugString();
      ++counts_[absl::StatusCodeToString(statuses[i + 1].code())];
      if (!statuses[i + 1].ok()) continue;
      ASSERT_NO_FATAL_FAILURE(check_answer(batch[i].request, batch[i].response));
    }
    ASSERT_TRUE(statuses[0].ok()) << "somebody else's request: " << statuses[0];
    ASSERT_EQ(beside.SerializeAsString(), bystander_.response.SerializeAsString());
    batch.clear();
  }

  const Placements placements_ = placements();
  std::string layout_;
  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
  Asked<v1::RecommendRequest, v1::RecommendResponse> bystander_;
  std::map<std::string, int> counts_;
};

TEST_F(RequestFuzz, Recommend) {
  fuzz<v1::RecommendRequest, v1::RecommendResponse>(
      11, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound, StatusCode::kFailedPrecondition});
}

TEST_F(RequestFuzz, Explain) {
  fuzz<v1::ExplainRequest, v1::ExplainResponse>(
      14, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound, StatusCode::kFailedPrecondition});
}

TEST_F(RequestFuzz, NextBestAction) {
  fuzz<v1::NextBestActionRequest, v1::NextBestActionResponse>(
      17, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound, StatusCode::kFailedPrecondition});
}

TEST_F(RequestFuzz, GetProfile) {
  fuzz<v1::GetProfileRequest, v1::Profile>(
      15, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound, StatusCode::kFailedPrecondition});
}

TEST_F(RequestFuzz, SimilarCustomers) {
  fuzz<v1::SimilarCustomersRequest, v1::SimilarCustomersResponse>(
      16, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kFailedPrecondition});
}

TEST_F(RequestFuzz, SimilarItems) {
  fuzz<v1::SimilarItemsRequest, v1::SimilarItemsResponse>(12, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound});
}

TEST_F(RequestFuzz, CrossSell) {
  fuzz<v1::CrossSellRequest, v1::CrossSellResponse>(13, {StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound});
}

}  // namespace
}  // namespace bouquet::server
