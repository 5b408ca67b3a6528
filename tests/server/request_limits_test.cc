#include "server/request_limits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "server/bad_request.h"

namespace bouquet::server {
namespace {

v1::RecommendRequest valid_request() {
  v1::RecommendRequest request;
  request.set_customer_id("c");
  return request;
}

// The fields that the status complains of.
std::vector<std::string> bad_fields(const absl::Status& status) {
  std::vector<std::string> fields;
  google::rpc::BadRequest details;
  if (const auto payload = status.GetPayload(kBadRequestType); payload && details.ParseFromString(std::string(*payload)))
    for (const auto& violation : details.field_violations()) fields.push_back(violation.field());
  return fields;
}

using Fields = std::vector<std::string>;

TEST(RequestLimits, KIsOneToAThousandOrZeroForTheDefault) {
  v1::RecommendRequest request = valid_request();
  for (const int k : {0, 1, 1000}) {
    request.set_k(k);
    EXPECT_TRUE(validate(request).ok()) << k;
  }
  for (const int k : {-1, 1001, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    request.set_k(k);
    EXPECT_EQ(bad_fields(validate(request)), Fields{"k"}) << k;
  }
  EXPECT_EQ(rows_wanted(0), 10);
  EXPECT_EQ(rows_wanted(7), 7);
}

TEST(RequestLimits, IdsHaveOneTo128Bytes) {
  v1::RecommendRequest request = valid_request();
  request.set_customer_id(std::string(128, 'x'));
  EXPECT_TRUE(validate(request).ok());
  request.set_customer_id(std::string(129, 'x'));
  EXPECT_EQ(bad_fields(validate(request)), Fields{"customer_id"});
  request.set_customer_id("");
  EXPECT_EQ(bad_fields(validate(request)), Fields{"customer_id"});
}

TEST(RequestLimits, IdsAreValidUtf8) {
  v1::RecommendRequest request = valid_request();
  for (const char* good : {"caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x92\x90", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    request.set_customer_id(good);
    EXPECT_TRUE(validate(request).ok()) << good;
  }
  // A lone continuation, overlong forms, a surrogate, past U+10FFFF, cut short.
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "a\xc3", "\xe6\x97", "\xff"}) {
    request.set_customer_id(bad);
    EXPECT_EQ(bad_fields(validate(request)), Fields{"customer_id"});
  }
}

TEST(RequestLimits, ASubjectIsRequired) {
  EXPECT_EQ(bad_fields(validate(v1::RecommendRequest())), Fields{"subject"});
  v1::RecommendRequest anonymous;
  anonymous.mutable_visitor();
  EXPECT_TRUE(validate(anonymous).ok());
}

TEST(RequestLimits, ListsAreExactAtTheLimitAndOnePast) {
  v1::RecommendRequest request = valid_request();
  for (int i = 0; i < kMaxContextItems; ++i) request.add_context_item_ids("i");
  for (int i = 0; i < kMaxExcludedItems; ++i) request.add_exclude_item_ids("i");
  for (int i = 0; i < kMaxKinds; ++i) request.add_kinds(v1::ITEM_KIND_ACTION);
  EXPECT_TRUE(validate(request).ok());
  request.add_context_item_ids("i");
  request.add_exclude_item_ids("i");
  request.add_kinds(v1::ITEM_KIND_ACTION);
  EXPECT_EQ(bad_fields(validate(request)), (Fields{"context_item_ids", "exclude_item_ids", "kinds"}));
}

TEST(RequestLimits, KindsAreKnown) {
  v1::RecommendRequest request = valid_request();
  request.add_kinds(v1::ITEM_KIND_PRODUCT);
  request.add_kinds(v1::ITEM_KIND_UNSPECIFIED);
  request.add_kinds(static_cast<v1::ItemKind>(4));
  request.add_kinds(static_cast<v1::ItemKind>(-7));
  EXPECT_EQ(bad_fields(validate(request)), (Fields{"kinds[1]", "kinds[2]", "kinds[3]"}));
}

TEST(RequestLimits, FiltersHaveAtMost8192BytesOfUtf8InEveryRequest) {
  v1::RecommendRequest request = valid_request();
  v1::SimilarItemsRequest similar;
  similar.set_item_id("i");
  v1::CrossSellRequest cross_sell;
  cross_sell.add_item_ids("i");
  const auto all = [&](const std::string& filter) {
    request.set_filter(filter);
    similar.set_filter(filter);
    cross_sell.set_filter(filter);
    return std::vector<Fields>{bad_fields(validate(request)), bad_fields(validate(similar)), bad_fields(validate(cross_sell))};
  };
  EXPECT_EQ(all(std::string(8192, 'x')), std::vector<Fields>(3));
  EXPECT_EQ(all(std::string(8193, 'x')), std::vector<Fields>(3, Fields{"filter"}));
  EXPECT_EQ(all("a = \"\xff\""), std::vector<Fields>(3, Fields{"filter"}));
}

TEST(RequestLimits, VisitorEventsAreChecked) {
  v1::RecommendRequest request;
  for (int i = 0; i < kMaxVisitorEvents; ++i) request.mutable_visitor()->add_events()->set_item_id("i");
  EXPECT_TRUE(validate(request).ok());
  request.mutable_visitor()->add_events()->set_item_id("i");
  EXPECT_EQ(bad_fields(validate(request)), Fields{"visitor.events"});
}

TEST(RequestLimits, EventsAreCheckedFieldByField) {
  v1::RecommendRequest request;
  auto add = [&]() -> v1::Event& {
    auto* event = request.mutable_visitor()->add_events();
    event->set_item_id("i");
    return *event;
  };
  add().set_value(-3);
  add().mutable_time()->set_seconds(253402300799);
  EXPECT_TRUE(validate(request).ok());
  add().set_item_id("");
  add().set_value(0);
  add().set_value(std::nanf(""));
  add().set_value(std::numeric_limits<float>::infinity());
  add().mutable_time()->set_seconds(253402300800);
  add().mutable_time()->set_nanos(1000000000);
  add().set_type(std::string(65, 't'));
  EXPECT_EQ(bad_fields(validate(request)),
            (Fields{"visitor.events[2].item_id", "visitor.events[3].value", "visitor.events[4].value", "visitor.events[5].value",
                    "visitor.events[6].time", "visitor.events[7].time", "visitor.events[8].type"}));
}

TEST(RequestLimits, NamesAtMostTwentyViolationsAndNoCustomerId) {
  v1::RecommendRequest request;
  request.set_customer_id("secret\xff");
  for (int i = 0; i < 30; ++i) request.add_exclude_item_ids("");
  const absl::Status status = validate(request);
  EXPECT_EQ(bad_fields(status).size(), 20u);
  EXPECT_EQ(status.ToString().find("secret"), std::string::npos);
}

TEST(RequestLimits, BasketsHaveOneToAHundredItems) {
  v1::CrossSellRequest request;
  EXPECT_EQ(bad_fields(validate(request)), Fields{"item_ids"});
  for (int i = 0; i < kMaxBasketItems; ++i) request.add_item_ids("i");
  EXPECT_TRUE(validate(request).ok());
  request.add_item_ids("i");
  EXPECT_EQ(bad_fields(validate(request)), Fields{"item_ids"});
}

TEST(RequestLimits, SimilarItemsNeedsAnItem) {
  v1::SimilarItemsRequest request;
  EXPECT_EQ(bad_fields(validate(request)), Fields{"item_id"});
  request.set_item_id("i");
  EXPECT_TRUE(validate(request).ok());
}

TEST(RequestLimits, ABatchHasOneToAThousandRequests) {
  v1::BatchRecommendRequest request;
  EXPECT_FALSE(validate(request).ok());
  for (int i = 0; i < kMaxBatchedRequests; ++i) request.add_requests();
  EXPECT_TRUE(validate(request).ok());
  request.add_requests();
  EXPECT_FALSE(validate(request).ok());
}

}  // namespace
}  // namespace bouquet::server
