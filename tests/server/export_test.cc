// ExportCustomer over gRPC: everything that is known of a customer, of nobody else, and nothing of somebody who was erased.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class ExportTest : public TestServer {
 protected:
  void SetUp() override {
    publish(shop_);
    start_with_store();
  }
  void record(const std::string& customer, const std::string& item, const std::string& basket, double price) {
    v1::Event event;
    event.set_item_id(item);
    event.set_type("cart");
    event.set_value(2.5f);
    event.set_basket_id(basket);
    event.set_price(price);
    event.set_recommendation_id("offer of " + basket);
    event.set_placement("home");
    event.mutable_time()->set_seconds(1'700'000'000 + ++recorded_);
    event.mutable_time()->set_nanos(5'000);
    ASSERT_EQ(send(customer, event).code(), 0);
  }
  void set_city(const std::string& customer, const std::string& city) {
    v1::SetAttributesRequest request;
    request.set_customer_id(customer);
    (*request.mutable_attributes())["city"].set_text(city);
    (*request.mutable_attributes())["age"].Clear();
    v1::SetAttributesResponse response;
    ASSERT_TRUE(call_method(&v1::Profiles::Stub::SetAttributes, request, &response).ok());
  }

  const TinyShop shop_ = random_shop(60, 10, 8, 5);
  int recorded_ = 0;
};

TEST_F(ExportTest, HasEverythingInItsOrder) {
  record("customer0", "item3", "b1", .75);
  record("customer1", "item4", "not asked for", 1);
  record("customer0", "unknown to the model", "b2", 0);
  set_city("customer0", "Bonn");
  set_city("customer1", "not asked for");
  const auto pieces = exported("customer0");
  ASSERT_THAT(pieces, SizeIs(5));
  const v1::Event& first = pieces[0].event().event();
  EXPECT_EQ(first.item_id(), "item3");
  EXPECT_EQ(first.type(), "cart");
  EXPECT_EQ(first.value(), 2.5f);
  EXPECT_EQ(first.basket_id(), "b1");
  EXPECT_EQ(first.price(), .75);
  EXPECT_EQ(first.recommendation_id(), "offer of b1");
  EXPECT_EQ(first.placement(), "home");
  EXPECT_EQ(first.time().seconds(), 1'700'000'001);
  EXPECT_EQ(first.time().nanos(), 5'000);
  EXPECT_EQ(pieces[0].event().profile_version(), 1);
  EXPECT_EQ(pieces[1].event().event().item_id(), "unknown to the model");
  EXPECT_TRUE(pieces[1].event().event().has_price());
  EXPECT_EQ(pieces[1].event().profile_version(), 3);
  EXPECT_EQ(pieces[2].attribute().name(), "age");
  EXPECT_EQ(pieces[2].attribute().value().ByteSizeLong(), 0u);
  EXPECT_EQ(pieces[3].attribute().name(), "city");
  EXPECT_EQ(pieces[3].attribute().value().text(), "Bonn");
  const v1::Profile& profile = pieces[4].profile();
  EXPECT_TRUE(profile.known());
  EXPECT_EQ(profile.customer_id(), "customer0");
  EXPECT_EQ(profile.history_size(), profile.events_used()) << "all of it";
  EXPECT_EQ(profile.embedding_size(), 8);
  EXPECT_EQ(profile.profile_version(), 4);
  for (const auto& piece : pieces) EXPECT_THAT(piece.DebugString(), Not(HasSubstr("not asked for")));
}

TEST_F(ExportTest, OfSomebodyWhoWasErasedIsTheErasureAndWhatHasComeSince) {
  record("customer0", "item3", "old basket", 1);
  EXPECT_THAT(exported("customer0"), SizeIs(2));
  const v1::EraseCustomerResponse receipt = erase("customer0");
  auto pieces = exported("customer0");
  ASSERT_THAT(pieces, SizeIs(2));
  EXPECT_FALSE(pieces[0].profile().known());
  EXPECT_EQ(pieces[0].profile().history_size(), 0);
  for (const float number : pieces[0].profile().embedding()) EXPECT_EQ(number, 0);
  EXPECT_EQ(pieces[1].erasure().receipt_id(), receipt.receipt_id());
  EXPECT_EQ(pieces[1].erasure().erase_time().SerializeAsString(), receipt.erase_time().SerializeAsString());
  set_city("customer0", "Oslo");
  pieces = exported("customer0");
  ASSERT_THAT(pieces, SizeIs(4));
  EXPECT_TRUE(pieces[0].has_attribute());
  EXPECT_TRUE(pieces[3].has_erasure());
}

TEST_F(ExportTest, OfNobodyIsAnEmptyProfileAndWithoutAStoreTheModelsPart) {
  auto pieces = exported("never seen");
  ASSERT_THAT(pieces, SizeIs(1));
  EXPECT_FALSE(pieces[0].profile().known());
  EXPECT_THAT(exported("", grpc::StatusCode::INVALID_ARGUMENT), SizeIs(0));
  serving_.reset();
  start(options());
  pieces = exported("customer0");
  ASSERT_THAT(pieces, SizeIs(1));
  EXPECT_TRUE(pieces[0].profile().known());
}

// More pieces than one window of the transport takes: the stream goes on as the reader does.
TEST_F(ExportTest, OfAManyTimesRecordedCustomerIsWhole) {
  v1::RecordEventsRequest request;
  for (int i = 0; i < 5000; ++i) {
    v1::CustomerEvent& said = *request.add_events();
    said.set_customer_id("busy");
    said.mutable_event()->set_item_id("item" + std::to_string(i % 60));
    said.mutable_event()->set_basket_id(std::string(100, 'b'));
    said.mutable_event()->mutable_time()->set_seconds(1'700'000'000 + i);
  }
  v1::RecordEventsResponse response;
  ASSERT_TRUE(call_method(&v1::Profiles::Stub::RecordEvents, request, &response).ok());
  const auto pieces = exported("busy");
  ASSERT_THAT(pieces, SizeIs(5001));
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(pieces[static_cast<size_t>(i)].event().event().time().seconds(), 1'700'000'000 + i);
}

}  // namespace
}  // namespace bouquet::server
