// Attributes by position: the same answers as by name, over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/attributed_shop.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PackedAttributesTest : public TestServer {
 protected:
  void SetUp() override {
    publish(attributed_shop());
    start(options());
    schema_ = model().attribute_schema();
  }

  v1::Model model() const {
    grpc::ClientContext context;
    v1::Model model;
    EXPECT_TRUE(v1::Models::NewStub(channel_to(serving_->admin_grpc_address()))->GetModel(&context, {}, &model).ok());
    return model;
  }
  grpc::Status recommend(const v1::RecommendRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    response_.Clear();
    return stub()->Recommend(&context, request, &response_);
  }
  v1::RecommendRequest of(const std::string& customer) const {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    return request;
  }
  void pack(v1::RecommendRequest& request, int32_t column, double number) const {
    request.mutable_packed_attributes()->set_attribute_schema(schema_.version());
    request.mutable_packed_attributes()->add_columns(static_cast<uint32_t>(column));
    request.mutable_packed_attributes()->add_numbers(number);
  }

  v1::AttributeSchema schema_;
  v1::RecommendResponse response_;
};

TEST_F(PackedAttributesTest, TheModelTellsItsColumns) {
  ASSERT_EQ(schema_.attributes_size(), 2);
  EXPECT_EQ(schema_.version().size(), 16u);
  EXPECT_EQ(schema_.column_count(), 5);
  const v1::SchemaAttribute& age = schema_.attributes(0);
  EXPECT_EQ(age.name(), "age");
  EXPECT_EQ(age.type(), "number");
  EXPECT_EQ(age.dense_column(), 0);
  EXPECT_EQ(age.dense_count(), 1);
  const v1::SchemaAttribute& country = schema_.attributes(1);
  EXPECT_THAT(country.values(), ElementsAre("DE"));
  EXPECT_EQ(country.missing_column(), country.value_column() + 2);
}

TEST_F(PackedAttributesTest, AnswersAreThoseOfAttributesByName) {
  const v1::SchemaAttribute age = schema_.attributes(0), country = schema_.attributes(1);
  for (const char* customer : {"customer0", "customer1", "a stranger"}) {
    // Both attributes; one of them; one of them as missing.
    for (const int which : {0, 1, 2, 3}) {
      v1::RecommendRequest by_name = of(customer), packed = of(customer);
      by_name.set_explain(v1::EXPLAIN_FULL);
      packed.set_explain(v1::EXPLAIN_FULL);
      if (which == 0 || which == 1) {
        (*by_name.mutable_attributes())["age"].set_number(33.3);
        pack(packed, age.dense_column(), 33.3);
      }
      if (which == 0 || which == 2) {
        (*by_name.mutable_attributes())["country"].set_text("DE");
        pack(packed, country.value_column(), 1);
      }
      if (which == 3) {
        (*by_name.mutable_attributes())["country"];
        pack(packed, country.missing_column(), 1);
      }
      ASSERT_TRUE(recommend(by_name).ok());
      const std::string expected = bytes_without_name(response_);
      ASSERT_TRUE(recommend(packed).ok());
      EXPECT_EQ(bytes_without_name(response_), expected) << customer << " " << which;
    }
    // One each way.
    v1::RecommendRequest by_name = of(customer), both = of(customer);
    (*by_name.mutable_attributes())["age"].set_number(20);
    (*by_name.mutable_attributes())["country"].set_text("FR");
    (*both.mutable_attributes())["age"].set_number(20);
    pack(both, country.value_column() + 1, 1);
    ASSERT_TRUE(recommend(by_name).ok());
    const std::string expected = bytes_without_name(response_);
    ASSERT_TRUE(recommend(both).ok());
    EXPECT_EQ(bytes_without_name(response_), expected) << customer;
  }
}

TEST_F(PackedAttributesTest, AnotherSchemaIsRefusedWithTheOneThatTheModelHas) {
  v1::RecommendRequest request = of("customer0");
  pack(request, 0, 30);
  request.mutable_packed_attributes()->set_attribute_schema("0123456789abcdef");
  const grpc::Status status = recommend(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr(schema_.version()));
  EXPECT_THAT(status.error_message(), HasSubstr("GetModel"));
}

TEST_F(PackedAttributesTest, BadFieldsAreNamed) {
  v1::RecommendRequest request = of("customer0");
  pack(request, 0, 30);
  request.mutable_packed_attributes()->add_columns(1);
  EXPECT_THAT(recommend(request).error_message(), HasSubstr("packed_attributes.numbers: has 1 entries where `columns` has 2"));
  request = of("customer0");
  pack(request, 99, 30);
  EXPECT_THAT(recommend(request).error_message(), HasSubstr("packed_attributes: columns[0] is 99"));
  request = of("customer0");
  pack(request, 0, 30);
  (*request.mutable_attributes())["age"].set_number(30);
  EXPECT_EQ(recommend(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(recommend(request).error_message(), HasSubstr("holds attribute 'age', which `attributes` has too"));
  request.clear_attributes();
  request.mutable_packed_attributes()->clear_attribute_schema();
  EXPECT_THAT(recommend(request).error_message(), HasSubstr("packed_attributes.attribute_schema"));
}

TEST_F(PackedAttributesTest, AModelWithoutAttributesTakesNone) {
  v1::RecommendRequest request = of("customer0");
  pack(request, 0, 30);
  publish(random_shop(5, 1, 2, 1));
  ASSERT_TRUE(serving_->models().refresh().ok());
  EXPECT_FALSE(model().has_attribute_schema());
  const grpc::Status status = recommend(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("packed_attributes: are not what this model was trained with"));
}

// In a batch, attributes by name are read from the bytes as they are in a call of their own, errors too.
TEST_F(PackedAttributesTest, ABatchTakesThemByNameRequestByRequest) {
  v1::BatchRecommendRequest batch;
  for (int i = 0; i < 70; ++i) {
    v1::RecommendRequest& request = *batch.add_requests();
    request.set_customer_id("stranger");
    if (i % 3 == 0) continue;  // some without
    (*request.mutable_attributes())["age"].set_number(20 + i);
    if (i % 2 == 0) (*request.mutable_attributes())["country"].set_text("DE");
  }
  (*batch.mutable_requests(65)->mutable_attributes())["contry"].set_text("DE");
  grpc::ClientContext context;
  const auto client = stub();
  const auto reader = client->BatchRecommend(&context, batch);
  v1::BatchRecommendResponse answer;
  int index = 0;
  for (; reader->Read(&answer); ++index) {
    const grpc::Status alone = recommend(batch.requests(index));
    EXPECT_EQ(alone.ok(), index != 65);
    if (index == 65) {
      EXPECT_EQ(answer.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_THAT(answer.error().message(), HasSubstr("contry"));
      continue;
    }
    EXPECT_EQ(bytes_without_name(answer.response()), bytes_without_name(response_)) << index;
    EXPECT_EQ(answer.response().attributes_used(), index % 3 == 0 ? 0 : index % 2 == 0 ? 2 : 1);
  }
  EXPECT_EQ(index, 70);
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace bouquet::server
