#include "server/answer_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "engine/sha256.h"

namespace bouquet::server {
namespace {

using ::testing::HasSubstr;

const std::string kKey(32, 'k');

std::string hex(const std::array<unsigned char, 32>& digest) { return absl::BytesToHexString(std::string(digest.begin(), digest.end())); }

// RFC 4231, test cases 1, 2 and 6.
TEST(HmacSha256Test, IsThatOfTheStandard) {
  const struct {
    std::string key, text, digest;
  } cases[] = {{std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
               {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
               {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"}};
  for (const auto& one : cases) {
    const HmacSha256 hmac(one.key);
    EXPECT_EQ(hex(hmac.of(one.text)), one.digest);
    EXPECT_EQ(hex(hmac.of(one.text)), one.digest) << "the states are left as they were";
  }
}

AnswerName some_name() {
  AnswerName name = name_now(kRecommendMethod, "20261129T210308Z-0123456789ab", "home", 12);
  name.set_profile_version(77);
  return name;
}

TEST(AnswerNamesTest, OpensWhatItSealed) {
  const AnswerNames names(kKey);
  const std::string text = names.seal(some_name());
  EXPECT_LE(text.size(), 512u);
  const auto opened = names.open(text, "field");
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->model_version(), "20261129T210308Z-0123456789ab");
  EXPECT_EQ(opened->profile_version(), 77);
  EXPECT_EQ(opened->placement(), "home");
  EXPECT_EQ(opened->k(), 12);
  EXPECT_EQ(opened->method(), "Recommend");
}

TEST(AnswerNamesTest, RefusesEveryChangedByteAndOtherKeys) {
  const AnswerNames names(kKey);
  const std::string text = names.seal(some_name());
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(text, &bytes));
  for (size_t i = 0; i < bytes.size(); ++i)
    for (const int bit : {1, 128}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      EXPECT_EQ(names.open(absl::WebSafeBase64Escape(changed), "field").status().code(), absl::StatusCode::kInvalidArgument) << i;
    }
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(names.open(absl::WebSafeBase64Escape(bytes.substr(0, size)), "field").ok()) << size;
  EXPECT_FALSE(names.open("", "field").ok());
  EXPECT_FALSE(names.open("no name at all!", "field").ok());
  EXPECT_FALSE(AnswerNames(std::string(32, 'x')).open(text, "field").ok());
}

v1::RecommendRequest some_request() {
  v1::RecommendRequest request;
  request.set_customer_id("ann");
  request.set_k(5);
  request.set_filter("price < 20");
  request.add_kinds(v1::ITEM_KIND_PRODUCT);
  request.add_context_item_ids("tea");
  request.add_exclude_item_ids("jam");
  request.set_include_purchased(true);
  return request;
}

class RepeatedTest : public ::testing::Test {
 protected:
  AnswerName name_of(const v1::RecommendRequest& request, bool own_attributes = false) const {
    AnswerName name = name_now(kRecommendMethod, "v1", request.placement(), request.k());
    names_.set_asked(request, own_attributes, name);
    return name;
  }
  const AnswerNames names_{kKey};
};

TEST_F(RepeatedTest, FillsInWhatIsLeftOut) {
  v1::RecommendRequest again = some_request();
  again.set_k(0);
  again.clear_kinds();
  again.set_include_purchased(false);
  const auto whole = names_.repeated(name_of(some_request()), again, false);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->SerializeAsString(), some_request().SerializeAsString());
}

TEST_F(RepeatedTest, SaysWhatMustBeSentAgain) {
  v1::RecommendRequest again;
  again.set_customer_id("ann");
  const auto whole = names_.repeated(name_of(some_request(), true), again, false);
  EXPECT_EQ(whole.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* field : {"filter", "context_item_ids", "attributes"}) EXPECT_THAT(whole.status().message(), HasSubstr(field));
}

TEST_F(RepeatedTest, RefusesWhatIsNotWhatWasAsked) {
  const AnswerName name = name_of(some_request());
  const auto refused = [&](const char* field, auto change) {
    v1::RecommendRequest again = some_request();
    change(again);
    const auto whole = names_.repeated(name, again, false);
    EXPECT_EQ(whole.status().code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(whole.status().message(), HasSubstr(field));
  };
  refused("customer_id", [](auto& r) { r.set_customer_id("bob"); });
  refused("k", [](auto& r) { r.set_k(6); });
  refused("filter", [](auto& r) { r.set_filter("price < 21"); });
  refused("kinds", [](auto& r) { r.add_kinds(v1::ITEM_KIND_ACTION); });
  refused("placement", [](auto& r) { r.set_placement("home"); });
  refused("context_item_ids", [](auto& r) { r.add_context_item_ids("egg"); });
  refused("context_item_ids", [](auto& r) {  // the same ids the other way round
    r.set_context_item_ids(0, "jam");
    r.set_exclude_item_ids(0, "tea");
  });
  refused("exploration", [](auto& r) { r.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_UCB); });
  EXPECT_EQ(names_.repeated(name, some_request(), true).status().code(), absl::StatusCode::kInvalidArgument) << "attributes";
}

}  // namespace
}  // namespace bouquet::server
