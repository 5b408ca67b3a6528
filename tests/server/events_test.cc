// RecordEvents, StreamEvents and SetAttributes over gRPC: what they acknowledge is in the store, once, and what is wrong is named.
#include <gmock/gmock.h>
#include <httplib.h>

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

// A service of its own, whose store is held in its listener until the caller has sent everything.
TEST(StreamEvents, ReadsNoMoreThanAWindowAhead) {
  const TemporaryFolder folder;
  const auto database = StoreDatabase::open(folder.path() + "/store");
  ASSERT_TRUE(database.ok()) << database.status();
  std::promise<void> held, sent;
  std::vector<size_t> groups;
  EventStoreOptions options;
  options.listener = [&](const DurableGroup& group) {
    groups.push_back(group.events.size());
    if (groups.size() != 1) return;
    held.set_value();
    sent.get_future().wait();
  };
  auto store = EventStore::open(**database, options);
  ASSERT_TRUE(store.ok()) << store.status();
  Metrics metrics("test", Placements());
  Batcher batcher(
      {}, [](int32_t, auto, auto) {}, &metrics);
  EventIntake intake(
      store->get(), [] { return std::vector<std::shared_ptr<const ServedModel>>(); }, &metrics);
  ProfilesService service(batcher, intake, metrics);
  auto address = parse_listen_address("--listen", "unix:" + folder.path() + "/rpc");
  auto listener = GrpcListener::start(*address, {&service}, {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const auto stub = v1::Profiles::NewStub(grpc::CreateChannel((*listener)->address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->StreamEvents(&context);
  v1::StreamEventsRequest message;
  v1::CustomerEvent& event = *message.add_events();
  event.set_customer_id("ann");
  event.mutable_event()->set_item_id("item1");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(stream->Write(message));
  stream->WritesDone();
  held.get_future().wait();
  sent.set_value();
  v1::StreamEventsResponse answer;
  int answers = 0;
  while (stream->Read(&answer)) ++answers;
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answers, 50);
  (*listener)->drain(std::chrono::milliseconds(0));
  batcher.stop();
  for (const size_t group : groups) EXPECT_LE(group, StreamEventsCall::kWindow);
}

}  // namespace
}  // namespace bouquet::server
