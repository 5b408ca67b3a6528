// Over gRPC: with [answers] log an answer is made again without sending again what came with its request, until that is gone.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "server/answerer.h"
#include "server/answers_config.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LoggedAnswers : public TestServer {
 protected:
  void SetUp() override {
    publish(attributed_shop());
    open({.log = true});
  }
  void open(const AnswersConfig& answers) {
    serving_.reset();
    ServingOptions made = options();
    made.store = store_;
    made.answers = answers;
    start(made);
  }
  // Of everything that a name does not hold.
  static v1::RecommendRequest asked() {
    v1::RecommendRequest request;
    request.set_customer_id("customer0");
    request.set_k(7);
    request.add_context_item_ids("item1");
    request.add_exclude_item_ids("item4");
    request.set_filter("kind = \"PRODUCT\"");
    (*request.mutable_attributes())["age"].set_number(20);
    return request;
  }
  static v1::RecommendRequest by_visitor() {
    v1::RecommendRequest request;
    for (const char* item : {"item3", "item9"}) request.mutable_visitor()->add_events()->set_item_id(item);
    (*request.mutable_attributes())["country"].set_text("DE");
    return request;
  }
  // An answer whose inputs are on disk.
  v1::RecommendResponse logged(const v1::RecommendRequest& request) {
    const int before = kept();
    v1::RecommendResponse answer = recommend(request);
    EXPECT_TRUE(becomes_true([&] { return kept() == before + 1; }));
    return answer;
  }
  int kept() const { return metric("bouquet_logged_answers_total{result=\"kept\"}"); }
  static v1::RecommendRequest again(const v1::RecommendResponse& answer, const std::string& customer = "customer0") {
    v1::RecommendRequest request;
    if (customer.empty())
      request.mutable_visitor();
    else
      request.set_customer_id(customer);
    request.mutable_as_of()->set_recommendation_id(answer.recommendation_id());
    return request;
  }
  template <typename Service, typename Request, typename Response>
  std::string refusal_of(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                         grpc::StatusCode code = grpc::StatusCode::FAILED_PRECONDITION) {
    Response response;
    const grpc::Status status = call_method(method, request, &response);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    return status.error_message();
  }
  std::string refusal(const v1::RecommendRequest& request, grpc::StatusCode code = grpc::StatusCode::FAILED_PRECONDITION) {
    return refusal_of(&v1::Recommendations::Stub::Recommend, request, code);
  }
};

TEST_F(LoggedAnswers, AreMadeAgainFromTheirNamesAlone) {
  const auto first = logged(asked());
  v1::RecommendRequest plain;
  plain.set_customer_id("customer0");
  plain.set_k(7);
  EXPECT_NE(bytes_without_name(recommend(plain)), bytes_without_name(first)) << "what came with the request matters";
  record("customer0", first.results(0).item_id());
  EXPECT_EQ(bytes_without_name(recommend(again(first))), bytes_without_name(first));
  // Also by its own name, and when it is all sent again, and by a server that keeps nothing any more.
  EXPECT_EQ(bytes_without_name(recommend(again(recommend(again(first))))), bytes_without_name(first));
  v1::RecommendRequest whole = asked();
  *whole.mutable_as_of() = again(first).as_of();
  EXPECT_EQ(bytes_without_name(recommend(whole)), bytes_without_name(first));
  EXPECT_EQ(kept(), 1) << "neither a plain request nor a repeated answer has anything to keep";
  open({.log = false});
  EXPECT_EQ(bytes_without_name(recommend(again(first))), bytes_without_name(first));
}

// The control: nothing is kept where nobody asked for it.
TEST_F(LoggedAnswers, WithoutTheLogSayWhatIsMissing) {
  open({.log = false});
  const auto first = recommend(asked()), of_visitor = recommend(by_visitor());
  EXPECT_THAT(refusal(again(first)),
              AllOf(HasSubstr("is not kept"), HasSubstr("filter"), HasSubstr("context_item_ids"), HasSubstr("attributes")));
  EXPECT_THAT(refusal(again(of_visitor, ""), grpc::StatusCode::INVALID_ARGUMENT), HasSubstr("of whom anything is kept"));
  v1::GetProfileRequest profile;
  profile.set_customer_id("customer0");
  *profile.mutable_as_of() = again(first).as_of();
  EXPECT_THAT(refusal_of(&v1::Profiles::Stub::GetProfile, profile), AllOf(HasSubstr("attributes"), Not(HasSubstr("filter"))));
  EXPECT_EQ(kept(), 0);
}

TEST_F(LoggedAnswers, OfVisitorsAreMadeAgainToo) {
  const auto first = logged(by_visitor());
  EXPECT_EQ(bytes_without_name(recommend(again(first, ""))), bytes_without_name(first));
  EXPECT_THAT(refusal(again(first), grpc::StatusCode::INVALID_ARGUMENT), HasSubstr("ask for a visitor"));
  v1::RecommendRequest with_events = again(first, "");
  with_events.mutable_visitor()->add_events()->set_item_id("item3");
  EXPECT_THAT(refusal(with_events, grpc::StatusCode::INVALID_ARGUMENT), HasSubstr("leave them out"));
  EXPECT_THAT(refusal(again(logged(asked()), ""), grpc::StatusCode::INVALID_ARGUMENT), HasSubstr("set customer_id"));
  v1::GetProfileRequest ask;
  *ask.mutable_as_of() = again(first, "").as_of();
  ask.mutable_visitor();
  v1::Profile profile;
  const grpc::Status status = call_method(&v1::Profiles::Stub::GetProfile, ask, &profile);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(profile.events_used(), 2);
  EXPECT_EQ(profile.attributes_used(), 1);
}

TEST_F(LoggedAnswers, AreExplainedWithWhatCameWithThem) {
  const auto first = logged(asked());
  record("customer0", first.results(0).item_id());
  v1::ExplainRequest why;
  why.set_customer_id("customer0");
  why.add_item_ids(first.results(0).item_id());
  *why.mutable_as_of() = again(first).as_of();
  v1::ExplainResponse explained;
  const grpc::Status status = call_method(&v1::Recommendations::Stub::Explain, why, &explained);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(explained.results(0).score(), first.results(0).score());
  EXPECT_EQ(explained.events_used(), first.events_used());
  EXPECT_EQ(explained.not_offered_item_ids_size(), 0) << "it had not been bought then";
  v1::GetProfileRequest ask;
  ask.set_customer_id("customer0");
  v1::Profile now, then;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &now).ok());
  *ask.mutable_as_of() = again(first).as_of();
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::GetProfile, ask, &then).ok());
  const auto age = [](const v1::Profile& profile) {
    for (const auto& attribute : profile.attributes())
      if (attribute.name() == "age") return attribute.columns(0).value();
    return 0.0;
  };
  EXPECT_NEAR(age(now), 50, 1e-3);
  EXPECT_NEAR(age(then), 20, 1e-3);
}

TEST_F(LoggedAnswers, OfAStreamAreKeptToo) {
  v1::BatchRecommendRequest batch;
  *batch.add_requests() = asked();
  grpc::ClientContext context;
  const auto recommendations = stub();
  const auto stream = recommendations->BatchRecommend(&context, batch);
  v1::BatchRecommendResponse first;
  ASSERT_TRUE(stream->Read(&first));
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_TRUE(becomes_true([&] { return kept() == 1; }));
  EXPECT_EQ(bytes_without_name(recommend(again(first.response()))), bytes_without_name(first.response()));
}

TEST_F(LoggedAnswers, OfGroupsAndGiftsAreNot) {
  v1::RecommendRequest gift = asked();
  gift.set_recipient_id("customer1");
  v1::RecommendRequest group;
  group.mutable_group()->add_customer_ids("customer0");
  group.set_filter("kind = \"PRODUCT\"");
  for (const v1::RecommendRequest& request : {gift, group})
    EXPECT_THAT(refusal(again(recommend(request)), grpc::StatusCode::INVALID_ARGUMENT), HasSubstr("cannot be made again"));
  logged(asked());
  EXPECT_EQ(kept(), 1);
}

TEST_F(LoggedAnswers, AreExportedAndErasedWithTheirCustomer) {
  const auto first = logged(asked()), other = logged([] {
                                        v1::RecommendRequest request = asked();
                                        request.set_customer_id("customer1");
                                        return request;
                                      }());
  auto pieces = exported("customer0");
  ASSERT_EQ(pieces.size(), 2u);
  const v1::ExportedAnswer& answer = pieces[0].answer();
  EXPECT_EQ(answer.recommendation_id(), first.recommendation_id());
  EXPECT_EQ(answer.customer_id(), "customer0");
  EXPECT_EQ(answer.request().filter(), asked().filter());
  EXPECT_EQ(answer.request().attributes().at("age").number(), 20);
  EXPECT_EQ(answer.request().context_item_ids(0), "item1");
  EXPECT_NEAR(static_cast<double>(answer.keep_until().seconds() - answer.answer_time().seconds()), 30 * 24 * 3600, 1);

  EXPECT_EQ(erase("customer0").answers(), 1);
  for (const auto& piece : exported("customer0")) EXPECT_FALSE(piece.has_answer());
  EXPECT_THAT(refusal(again(first)), AllOf(HasSubstr("gone"), HasSubstr("erased"), HasSubstr("attributes")));
  EXPECT_EQ(bytes_without_name(recommend(again(other, "customer1"))), bytes_without_name(other));
}

TEST_F(LoggedAnswers, AreGoneWhenTheirTimeIsOver) {
  open({.log = true, .retention = absl::Microseconds(1)});
  const auto first = logged(asked()), of_visitor = logged(by_visitor());
  EXPECT_THAT(refusal(again(first)), AllOf(HasSubstr("gone"), HasSubstr("its time is over"), HasSubstr("filter")));
  EXPECT_THAT(refusal(again(of_visitor, "")), AllOf(HasSubstr("gone"), HasSubstr("visitor.events")));
  v1::RecommendRequest whole = asked();
  *whole.mutable_as_of() = again(first).as_of();
  EXPECT_EQ(bytes_without_name(recommend(whole)), bytes_without_name(first)) << "who has it all can send it again";
}

TEST_F(LoggedAnswers, AreMadeAgainOfflineByTheModelThatMadeThem) {
  const auto first = logged(asked()), of_visitor = logged(by_visitor());
  publish(random_shop(60, 3, kAttributedDimension, 9));
  ASSERT_TRUE(serving_->models().refresh().ok());
  EXPECT_THAT(refusal(again(of_visitor, "")), HasSubstr("was made by model"));
  const BackendFactory backends = [](const BackendChoice&) { return cpu::make_cpu_backend(1); };
  for (const auto& [answer, customer] : {std::pair(first, "customer0"), std::pair(of_visitor, "")}) {
    AnswerPlace place;
    place.models = models_;
    place.store = store_;
    place.answer = answer.recommendation_id();
    auto answerer = make_answerer(place, backends);
    ASSERT_TRUE(answerer.ok()) << answerer.status();
    v1::RecommendResponse offline;
    const absl::Status status = (*answerer)->recommend(again(answer, customer), &offline);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(bytes_without_name(offline), bytes_without_name(answer));
  }
}

TEST_F(LoggedAnswers, NeedAStore) {
  serving_.reset();
  ServingOptions made = options();
  made.answers.log = true;
  const auto refused = Serving::start(made, *backend_);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--store"));
}

TEST(AnswersConfig, IsReadFromItsTable) {
  EXPECT_FALSE(parse_answers("", "b.toml")->log);
  const auto read = parse_answers("[answers]\nlog = true\nretention_days = 1.5\n", "b.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->log);
  EXPECT_EQ(read->retention, absl::Hours(36));
}

TEST(AnswersConfig, SaysWhereItIsWrong) {
  const auto problem = [](const std::string& line) {
    const auto read = parse_answers("[answers]\n" + line, "b.toml");
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(read.status().message());
  };
  EXPECT_THAT(problem("log = 1"), HasSubstr("b.toml:2: answers.log must be true or false"));
  EXPECT_THAT(problem("retention_days = 0"), HasSubstr("b.toml:2: answers.retention_days must be a number above 0"));
  EXPECT_THAT(problem("retention_days = 4000"), HasSubstr("at most 3650"));
  EXPECT_THAT(problem("logs = true"), AllOf(HasSubstr("is not known"), HasSubstr("log")));
}

}  // namespace
}  // namespace bouquet::server
