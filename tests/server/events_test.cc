// RecordEvents, StreamEvents and SetAttributes over gRPC: what they acknowledge is in the store, once, and what is wrong is named.
#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>
#include <future>
#include <limits>
#include <thread>

#include "google/rpc/error_details.pb.h"
#include "server/call_messages.h"
#include "server/profiles_service.h"
#include "server/request_limits.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kInvalid = static_cast<int>(absl::StatusCode::kInvalidArgument);
constexpr int kExists = static_cast<int>(absl::StatusCode::kAlreadyExists);

void add_event(v1::RecordEventsRequest& request, const std::string& customer, const std::string& item, const std::string& event_id = {}) {
  v1::CustomerEvent& event = *request.add_events();
  event.set_customer_id(customer);
  event.mutable_event()->set_item_id(item);
  event.mutable_event()->set_event_id(event_id);
}

class EventCalls : public TestServer {
 protected:
  void SetUp() override {
    publish(random_shop(20, 10, 8, 5));
    start_with_store();
  }
  grpc::Status record(const v1::RecordEventsRequest& request) {
    return call_method(&v1::Profiles::Stub::RecordEvents, request, &recorded_);
  }
  grpc::Status set_attributes(const v1::SetAttributesRequest& request) {
    return call_method(&v1::Profiles::Stub::SetAttributes, request, &set_);
  }
  const v1::EventResult& result(int row) const { return recorded_.results(row); }

  v1::RecordEventsResponse recorded_;
  v1::SetAttributesResponse set_;
};

TEST_F(EventCalls, EachEventIsAnsweredAndARepetitionAlsoAfterARestart) {
  v1::RecordEventsRequest request;
  add_event(request, "ann", "item1", "e1");
  add_event(request, "", "item2", "e2");
  add_event(request, "bob", "unheard of", "e3");
  ASSERT_TRUE(record(request).ok());
  ASSERT_EQ(recorded_.results_size(), 3);
  EXPECT_EQ(recorded_.failed(), 1);
  EXPECT_EQ(result(0).code(), 0);
  EXPECT_EQ(result(0).profile_version(), 1);
  EXPECT_FALSE(result(0).repeated_event());
  EXPECT_EQ(result(1).code(), kInvalid);
  EXPECT_EQ(result(1).message(), "customer_id: must not be empty");
  EXPECT_EQ(result(1).profile_version(), 0);
  EXPECT_EQ(result(2).profile_version(), 2);
  EXPECT_FALSE(result(0).unknown_item());
  EXPECT_FALSE(result(1).unknown_item());
  EXPECT_TRUE(result(2).unknown_item());
  restart_with_store();
  request.mutable_events(1)->set_customer_id("eve");
  request.mutable_events(2)->mutable_event()->set_value(2);
  ASSERT_TRUE(record(request).ok());
  EXPECT_TRUE(result(0).repeated_event());
  EXPECT_EQ(result(0).profile_version(), 1);
  EXPECT_EQ(result(1).profile_version(), 3);
  EXPECT_EQ(result(2).code(), kExists);
  EXPECT_FALSE(result(2).unknown_item());
  EXPECT_EQ(result(2).message(), "event.event_id: came before with other content, which stays");
}

TEST_F(EventCalls, MistakesAreNamedAndKeepNothingElseBack) {
  v1::RecordEventsRequest request;
  for (int i = 0; i < 12; ++i) add_event(request, "ann", "item1");
  const auto event = [&](int row) { return request.mutable_events(row)->mutable_event(); };
  request.mutable_events(0)->clear_event();
  event(1)->set_item_id(std::string(129, 'x'));
  event(2)->set_type(std::string(65, 't'));
  event(3)->set_value(0);
  event(4)->set_value(std::numeric_limits<float>::infinity());
  event(5)->mutable_time()->set_nanos(-1);
  event(6)->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 2 * 3600);
  event(7)->set_event_id(std::string(129, 'e'));
  event(8)->set_basket_id(std::string(129, 'b'));
  event(9)->set_price(std::numeric_limits<double>::quiet_NaN());
  event(10)->set_placement(std::string(65, 'p'));
  ASSERT_TRUE(record(request).ok());
  std::vector<std::string> fields;
  for (int row = 0; row < 11; ++row) {
    EXPECT_EQ(result(row).code(), kInvalid) << row;
    fields.push_back(result(row).message().substr(0, result(row).message().find(':')));
  }
  EXPECT_THAT(fields, ElementsAre("event.item_id", "event.item_id", "event.type", "event.value", "event.value", "event.time", "event.time",
                                  "event.event_id", "event.basket_id", "event.price", "event.placement"));
  EXPECT_EQ(result(11).profile_version(), 1);
  EXPECT_EQ(recorded_.failed(), 11);
}

TEST_F(EventCalls, LimitsAreExact) {
  v1::RecordEventsRequest request;
  EXPECT_EQ(record(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (int i = 0; i < kMaxRecordedEvents; ++i)
    add_event(request, "c" + std::to_string(i % 100), std::string(128, 'i'),
              std::string(128, 'e').replace(0, 5, std::to_string(10000 + i)));
  ASSERT_GT(request.ByteSizeLong(), size_t{2 << 20});
  ASSERT_TRUE(record(request).ok());
  EXPECT_EQ(recorded_.failed(), 0);
  EXPECT_EQ(result(kMaxRecordedEvents - 1).profile_version(), kMaxRecordedEvents);
  add_event(request, "ann", "item1");
  const grpc::Status refused = record(request);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("events: has 10001 events"));
}

TEST_F(EventCalls, OtherRequestsKeepTheirBoundOfOneMebibyte) {
  v1::RecommendRequest request;
  request.set_customer_id("customer1");
  (*request.mutable_attributes())["text"].set_text(std::string(kMaxMessageBytes - 100, 'x'));
  v1::RecommendResponse response;
  EXPECT_NE(call_method(&v1::Recommendations::Stub::Recommend, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  (*request.mutable_attributes())["text"].set_text(std::string(kMaxMessageBytes, 'x'));
  EXPECT_EQ(call_method(&v1::Recommendations::Stub::Recommend, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  v1::UpsertItemsRequest items;
  v1::UpsertItemsResponse upserted;
  items.set_request_id("r");
  for (int i = 0; i < 1000; ++i) {
    v1::Item* item = items.add_items();
    item->set_item_id("i" + std::to_string(i));
    item->set_title(std::string(1024, 't'));
    item->set_category(std::string(100, 'c'));
  }
  EXPECT_EQ(call_method(&v1::Catalog::Stub::UpsertItems, items, &upserted).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(EventCalls, ValidateOnlyKeepsNothing) {
  v1::RecordEventsRequest request;
  add_event(request, "ann", "item1", "e1");
  add_event(request, "ann", "");
  request.set_validate_only(true);
  ASSERT_TRUE(record(request).ok());
  EXPECT_EQ(result(0).code(), 0);
  EXPECT_EQ(result(0).profile_version(), 0);
  EXPECT_EQ(result(1).code(), kInvalid);
  request.set_validate_only(false);
  ASSERT_TRUE(record(request).ok());
  EXPECT_FALSE(result(0).repeated_event());
  EXPECT_EQ(result(0).profile_version(), 1);
}

TEST_F(EventCalls, AttributesAreSetOncePerRequest) {
  v1::SetAttributesRequest request;
  request.set_customer_id("ann");
  request.set_request_id("r1");
  (*request.mutable_attributes())["city"].set_text("Bonn");
  ASSERT_TRUE(set_attributes(request).ok());
  EXPECT_EQ(set_.profile_version(), 1);
  ASSERT_TRUE(set_attributes(request).ok());
  EXPECT_TRUE(set_.repeated_request());
  EXPECT_EQ(set_.profile_version(), 1);
  (*request.mutable_attributes())["city"].set_text("Kiel");
  EXPECT_EQ(set_attributes(request).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  request.clear_request_id();
  ASSERT_TRUE(set_attributes(request).ok());
  EXPECT_EQ(set_.profile_version(), 2);
  (*request.mutable_attributes())["age"].set_number(std::numeric_limits<double>::infinity());
  const grpc::Status refused = set_attributes(request);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("attributes[\"age\"]: is not finite"));
  request.clear_attributes();
  EXPECT_EQ(set_attributes(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(EventCalls, AStreamIsAnsweredMessageByMessageInOrder) {
  const auto stub = v1::Profiles::NewStub(channel());
  grpc::ClientContext context;
  const auto stream = stub->StreamEvents(&context);
  constexpr int kMessages = 200;
  std::thread sender([&] {
    for (int i = 1; i <= kMessages; ++i) {
      v1::StreamEventsRequest message;
      for (int n = 0; n < (i == 50 ? 0 : 3); ++n) {  // the 50th has no events
        v1::CustomerEvent& event = *message.add_events();
        event.set_customer_id("c" + std::to_string(n));
        event.mutable_event()->set_item_id(i % 10 == 0 && n == 1 ? "" : "item1");
      }
      stream->Write(message);
    }
    stream->WritesDone();
  });
  int64_t answered = 0, version = 0;
  v1::StreamEventsResponse answer;
  while (stream->Read(&answer)) {
    EXPECT_EQ(answer.message(), ++answered);
    if (answered == 50) {
      EXPECT_EQ(answer.error().code(), kInvalid);
      EXPECT_EQ(answer.results_size(), 0);
      continue;
    }
    ASSERT_EQ(answer.results_size(), 3);
    EXPECT_EQ(answer.failed(), answered % 10 == 0 ? 1 : 0);
    for (const v1::EventResult& one : answer.results()) {
      if (one.code() != 0) continue;
      EXPECT_EQ(one.profile_version(), ++version);
    }
  }
  sender.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answered, kMessages);
  EXPECT_EQ(version, 3 * (kMessages - 1) - 19);
}

TEST_F(EventCalls, AStreamWhoseCallerGoesAwayHarmsNobody) {
  {
    const auto stub = v1::Profiles::NewStub(channel());
    grpc::ClientContext context;
    const auto stream = stub->StreamEvents(&context);
    v1::StreamEventsRequest message;
    v1::CustomerEvent& event = *message.add_events();
    event.set_customer_id("ann");
    event.mutable_event()->set_item_id("item1");
    for (int i = 0; i < 100; ++i) stream->Write(message);
    context.TryCancel();
  }
  v1::RecordEventsRequest request;
  add_event(request, "ann", "item1");
  EXPECT_TRUE(record(request).ok());
}

TEST_F(EventCalls, WithoutAStoreTheyAreRefusedWithWhatToDo) {
  serving_.reset();
  start(options());
  v1::RecordEventsRequest request;
  add_event(request, "ann", "item1");
  EXPECT_EQ(record(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(record(request).error_message(), HasSubstr("--store DIR"));
  v1::SetAttributesRequest attributes;
  attributes.set_customer_id("ann");
  (*attributes.mutable_attributes())["city"].set_text("Bonn");
  EXPECT_EQ(set_attributes(attributes).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const auto stub = v1::Profiles::NewStub(channel());
  grpc::ClientContext context;
  EXPECT_EQ(stub->StreamEvents(&context)->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(EventCalls, TheWindowOfEventIdsHasBoundsAndNeedsAStore) {
  serving_.reset();
  ServingOptions made = options();
  made.event_id_days = 7;
  EXPECT_THAT(std::string(Serving::start(made, *backend_).status().message()), HasSubstr("--store"));
  made.store = store_;
  for (const int32_t days : {-1, 3651}) {
    made.event_id_days = days;
    const auto refused = Serving::start(made, *backend_);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--event-id-days is " + std::to_string(days)));
  }
}

TEST_F(EventCalls, AreCounted) {
  v1::RecordEventsRequest request;
  add_event(request, "ann", "item1", "e1");
  add_event(request, "ann", "item2", "e2");
  add_event(request, "ann", "unheard of", "e3");
  record(request);
  request.mutable_events(0)->mutable_event()->set_item_id("item3");
  record(request);
  httplib::Client pages("http://" + serving_->admin_address());
  const auto page = pages.Get("/metrics");
  ASSERT_TRUE(page);
  for (const char* line : {"bouquet_event_rows_total{result=\"stored\"} 3\n", "bouquet_event_rows_total{result=\"repeated\"} 2\n",
                           "bouquet_event_rows_total{result=\"refused\"} 1\n", "bouquet_store_write_seconds_count 1\n",
                           "bouquet_events_of_unknown_items_total 1\n", "bouquet_calls_total{code=\"OK\",method=\"RecordEvents\"} 2\n"})
    EXPECT_THAT(page->body, HasSubstr(line));
}

// A service of its own, whose store is held in its listener with the first group until the test lets it go.
class HeldWrites : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = *StoreDatabase::open(folder_.path() + "/store");
    EventStoreOptions options;
    options.listener = [this](const DurableGroup& group) {
      groups_.push_back(group.events.size());
      if (groups_.size() != 1) return;
      held_.set_value();
      let_go_.get_future().wait();
    };
    store_ = *EventStore::open(*database_, options);
    const auto no_models = [this] {
      ++arrived_;
      return std::vector<std::shared_ptr<const ServedModel>>();
    };
    intake_ = std::make_unique<EventIntake>(store_.get(), no_models, &metrics_);
    service_ = std::make_unique<ProfilesService>(batcher_, *intake_, metrics_, ServingOptions().most_unread_bytes);
    listener_ = *GrpcListener::start(*parse_listen_address("--listen", "unix:" + folder_.path() + "/rpc"), {service_.get()}, {});
    stub_ = v1::Profiles::NewStub(grpc::CreateChannel(listener_->address(), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    listener_->drain(std::chrono::milliseconds(0));
    batcher_.stop();
    store_.reset();
  }
  // A call that waits for the store, or whose caller does no longer.
  std::future<grpc::StatusCode> record(grpc::ClientContext& context, const std::string& customer) {
    const int before = arrived_;
    auto code = std::async(std::launch::async, [this, &context, customer] {
      v1::RecordEventsRequest request;
      v1::RecordEventsResponse response;
      add_event(request, customer, "item1");
      return stub_->RecordEvents(&context, request, &response).error_code();
    });
    while (arrived_ == before) std::this_thread::yield();
    return code;
  }
  bool knows(const std::string& customer) const { return store_->find_customer(customer)->has_value(); }

  const TemporaryFolder folder_;
  std::promise<void> held_, let_go_;
  std::vector<size_t> groups_;
  std::atomic<int> arrived_{0};  // messages
  std::unique_ptr<StoreDatabase> database_;
  std::unique_ptr<EventStore> store_;
  Metrics metrics_{"test", Placements()};
  Batcher batcher_{{}, [](int32_t, auto, auto) {}, &metrics_};
  std::unique_ptr<EventIntake> intake_;
  std::unique_ptr<ProfilesService> service_;
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<v1::Profiles::Stub> stub_;
};

TEST_F(HeldWrites, AStreamIsReadNoMoreThanAWindowAhead) {
  grpc::ClientContext context;
  const auto stream = stub_->StreamEvents(&context);
  v1::StreamEventsRequest message;
  v1::CustomerEvent& event = *message.add_events();
  event.set_customer_id("ann");
  event.mutable_event()->set_item_id("item1");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(stream->Write(message));
  stream->WritesDone();
  held_.get_future().wait();
  let_go_.set_value();
  v1::StreamEventsResponse answer;
  int answers = 0;
  while (stream->Read(&answer)) ++answers;
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answers, 50);
  for (const size_t group : groups_) EXPECT_LE(group, StreamEventsCall::kWindow);
}

TEST_F(HeldWrites, WhatNobodyWaitsForAnyMoreIsNotWritten) {
  grpc::ClientContext first, expiring, cancelled, patient;
  auto first_code = record(first, "first");
  held_.get_future().wait();
  expiring.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  auto expired_code = record(expiring, "expired");
  auto cancelled_code = record(cancelled, "cancelled");
  cancelled.TryCancel();
  EXPECT_EQ(expired_code.get(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(cancelled_code.get(), grpc::StatusCode::CANCELLED);
  // On the same connection, and so later than the two; the control as well: it has waited as they have.
  auto patient_code = record(patient, "patient");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // gRPC tells the server of a cancellation from a thread of its own
  let_go_.set_value();
  EXPECT_EQ(first_code.get(), grpc::StatusCode::OK);
  EXPECT_EQ(patient_code.get(), grpc::StatusCode::OK);
  EXPECT_TRUE(knows("first"));
  EXPECT_TRUE(knows("patient"));
  EXPECT_FALSE(knows("expired"));
  EXPECT_FALSE(knows("cancelled"));
}

// Whoever goes away while the store writes is too late.
TEST_F(HeldWrites, WhatHasBegunIsWritten) {
  grpc::ClientContext first;
  auto code = record(first, "first");
  held_.get_future().wait();
  first.TryCancel();
  EXPECT_EQ(code.get(), grpc::StatusCode::CANCELLED);
  let_go_.set_value();
  grpc::ClientContext next;
  EXPECT_EQ(record(next, "next").get(), grpc::StatusCode::OK);
  EXPECT_TRUE(knows("first"));
}

}  // namespace
}  // namespace bouquet::server
