// Next best actions over gRPC: ranked by what they are worth, and kept back where the shop's rules say so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/errors.h"
#include "server/actions_config.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1000000, kDay = 86400 * kSecond;
constexpr int64_t kTrainingEnd = 1000 * kDay;  // of every TinyShop

ActionRules parsed(const std::string& text) {
  auto rules = parse_actions(text, "shop.toml");
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *std::move(rules) : ActionRules();
}

std::string refusal(const std::string& text) {
  const auto rules = parse_actions(text, "shop.toml");
  EXPECT_EQ(rules.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(message_of(rules.status()));
}

TEST(ActionsConfig, WhatIsNotSaidOfAnActionIsAsOfTheOthers) {
  const ActionRules rules = parsed(
      "[actions]\nvalue = 2\ncool_down_days = 7\ncontact_limit = 3\ncontact_days = 30\n"
      "[actions.call]\nvalue = 4.5\ncontact_limit = 1\ncontact_days = 2\n[actions.letter]\ncool_down_days = 0.5\n");
  EXPECT_EQ(rules.others, (ActionRule{.value = 2, .cool_down_days = 7, .limit = {}}));
  EXPECT_EQ(rules.all, (ContactLimit{.contacts = 3, .days = 30}));
  EXPECT_EQ(rules.of("call"), (ActionRule{.value = 4.5, .cool_down_days = 7, .limit = {.contacts = 1, .days = 2}}));
  EXPECT_EQ(rules.of("letter"), (ActionRule{.value = 2, .cool_down_days = 0.5, .limit = {}}));
  EXPECT_EQ(rules.of("another"), rules.others);
  EXPECT_EQ(parsed("").others, ActionRule());
}

TEST(ActionsConfig, RefusesWithFileLineAndKey) {
  EXPECT_THAT(refusal("actions = 1\n"), HasSubstr("shop.toml:1: [actions] must be a table"));
  EXPECT_THAT(refusal("[actions]\n\nvalu = 1\n"), HasSubstr("shop.toml:3: actions.valu is not known; did you mean 'value'?"));
  EXPECT_THAT(refusal("[actions.call]\nvalue = -1\n"), HasSubstr("shop.toml:2: actions.call.value must be a number of 0 or more"));
  EXPECT_THAT(refusal("[actions.call]\nvalue = \"4\"\n"), HasSubstr("actions.call.value must be a number"));
  EXPECT_THAT(refusal("[actions]\ncool_down_days = 1e9\n"), HasSubstr("actions.cool_down_days is more than a hundred years"));
  EXPECT_THAT(refusal("[actions]\ncontact_limit = 0\ncontact_days = 1\n"),
              HasSubstr("actions.contact_limit must be a whole number above 0"));
  EXPECT_THAT(refusal("[actions]\ncontact_limit = 3\n"), HasSubstr("shop.toml:1: actions: contact_limit and contact_days belong together"));
  EXPECT_THAT(refusal("[actions.call]\ncontact_days = 3\n"), HasSubstr("actions.call: contact_limit and contact_days belong together"));
  EXPECT_THAT(refusal("[actions.\"\"]\nvalue = 1\n"), HasSubstr("the item id must not be empty"));
}

TEST(ContactHistory, ACoolDownEndsToTheMicrosecond) {
  const ActionRule rule{.value = 1, .cool_down_days = 2, .limit = {}};
  const auto allowed = [&](int64_t age) { return ContactHistory({{.item = 3, .time = 100 * kDay - age}}, 100 * kDay).allows(3, rule); };
  EXPECT_FALSE(allowed(0));
  EXPECT_FALSE(allowed(2 * kDay - 1));
  EXPECT_TRUE(allowed(2 * kDay));
  EXPECT_FALSE(allowed(-5 * kDay));  // of the future
  EXPECT_TRUE(ContactHistory({{.item = 4, .time = 100 * kDay}}, 100 * kDay).allows(3, rule));
  EXPECT_TRUE(ContactHistory({{.item = 3, .time = 100 * kDay}}, 100 * kDay).allows(3, {}));  // without a rule
}

TEST(ContactHistory, LimitsCountWhatIsWithinTheirDays) {
  const ContactHistory history({{.item = 3, .time = 99 * kDay, .count = 2}, {.item = 3, .time = 90 * kDay}, {.item = 4, .time = 98 * kDay}},
                               100 * kDay);
  const auto allows = [&](int32_t contacts, double days) {
    return history.allows(3, {.value = 1, .cool_down_days = 0, .limit = {contacts, days}});
  };
  EXPECT_FALSE(allows(2, 5));
  EXPECT_TRUE(allows(3, 5));
  EXPECT_FALSE(allows(3, 11));
  EXPECT_TRUE(allows(1, 1));
  EXPECT_FALSE(history.allows_any({3, 5}));
  EXPECT_TRUE(history.allows_any({4, 5}));
  EXPECT_TRUE(history.allows_any({}));
}

class ActionsTest : public TestServer {
 protected:
  // Scores of alice, whose profile is (1, 0): call 1, letter 2, visit 3, coupon 0. She had a letter, and took the coupon.
  static Artifact shop() {
    TinyShop shop;
    shop.items = {{.id = "bread", .vector = {5, 0}, .customers = 9},
                  {.id = "call", .vector = {1, 1}, .kind = ItemKind::kAction, .customers = 1},
                  {.id = "letter", .vector = {2, 0}, .kind = ItemKind::kAction, .customers = 2},
                  {.id = "visit", .vector = {3, 2}, .kind = ItemKind::kAction},
                  {.id = "coupon", .vector = {0, 1}, .kind = ItemKind::kAction, .customers = 1}};
    shop.customers = {{.id = "alice",
                       .profile = {1, 0},
                       .history = {{.item = 2, .confidence = 1}, {.item = 4, .confidence = 1, .consumed = true, .repurchase = 1}}},
                      {.id = "bob", .profile = {1, 0}},
                      {.id = "carol", .profile = {0, 0}},
                      {.id = "dave", .profile = {0, 1}}};
    Artifact artifact = shop.artifact();
    artifact.calibration.length = 10;
    CalibrationMap map;
    map.source = AnswerSource::kModel;
    map.kind = ItemKind::kAction;
    map.scores = {0, 4};
    map.probabilities = {0.1, 0.5};
    map.rows = 100;
    map.taken = 30;
    map.log_loss = 0.5;
    map.base_log_loss = 0.6;
    map.slope = 1;
    artifact.calibration.maps = {map};
    return artifact;
  }
  void start_with(const std::string& config, int64_t now = kTrainingEnd + 100 * kDay) {
    ServingOptions with = options();
    with.actions = parsed(config);
    with.actions.now = [now] { return absl::FromUnixMicros(now); };
    start(with);
  }
  grpc::Status ask(const v1::NextBestActionRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    response_.Clear();
    return stub()->NextBestAction(&context, request, &response_);
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& row : response_.results()) out.push_back(row.item().item_id());
    return out;
  }
  static v1::NextBestActionRequest of(const std::string& customer) {
    v1::NextBestActionRequest request;
    request.set_customer_id(customer);
    return request;
  }
  static void contact(v1::NextBestActionRequest& request, const std::string& action, int64_t time) {
    v1::Event& event = *request.add_contacts();
    event.set_item_id(action);
    event.mutable_time()->set_seconds(time / kSecond);
  }

  v1::NextBestActionResponse response_;
};

TEST_F(ActionsTest, ActionsAreRankedByProbabilityTimesValue) {
  publish(shop());
  start_with("[actions]\nvalue = 2\n[actions.call]\nvalue = 10\n[actions.coupon]\nvalue = 0\n");
  ASSERT_TRUE(ask(of("bob")).ok());
  // Probabilities .1 + .1 score: visit .4, letter .3, call .2, coupon .1.
  EXPECT_THAT(ids(), ElementsAre("call", "visit", "letter", "coupon"));
  const v1::ActionOffer& call = response_.results(0);
  EXPECT_EQ(call.item().source(), v1::SOURCE_MODEL);
  EXPECT_EQ(call.item().score(), 1);
  EXPECT_NEAR(call.probability(), 0.2, 1e-12);
  EXPECT_EQ(call.value(), 10);
  EXPECT_NEAR(call.expected_value(), 2, 1e-12);
  EXPECT_NEAR(response_.results(1).expected_value(), 0.8, 1e-12);
  EXPECT_EQ(response_.results(3).expected_value(), 0);
  EXPECT_EQ(response_.withheld(), 0);
  v1::NextBestActionRequest one = of("bob");
  one.set_k(1);
  one.add_exclude_item_ids("call");
  ASSERT_TRUE(ask(one).ok());
  EXPECT_THAT(ids(), ElementsAre("visit"));
}

TEST_F(ActionsTest, EqualOnesStandByTheirScoresAndThenInTheOrderOfTheCatalog) {
  Artifact level = shop();
  level.calibration.maps[0].probabilities = {0.3, 0.3};
  publish(level);
  start_with("");
  ASSERT_TRUE(ask(of("bob")).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call", "coupon"));
  ASSERT_TRUE(ask(of("dave")).ok());  // visit 2, call and coupon 1, letter 0
  EXPECT_THAT(ids(), ElementsAre("visit", "call", "coupon", "letter"));
}

TEST_F(ActionsTest, WhatWasTakenIsOfferedAgainOnlyIfAskedFor) {
  publish(shop());
  start_with("");
  ASSERT_TRUE(ask(of("alice")).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call"));
  v1::NextBestActionRequest again = of("alice");
  again.set_include_purchased(true);
  ASSERT_TRUE(ask(again).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call", "coupon"));
}

TEST_F(ActionsTest, ACoolDownKeepsAnActionBackForItsDays) {
  publish(shop());
  const int64_t now = kTrainingEnd + 100 * kDay;
  start_with("[actions.visit]\ncool_down_days = 7\n", now);
  v1::NextBestActionRequest request = of("bob");
  contact(request, "visit", now - 7 * kDay + kSecond);
  contact(request, "letter", now);
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), ElementsAre("letter", "call", "coupon"));
  EXPECT_EQ(response_.withheld(), 1);
  request.clear_contacts();
  contact(request, "visit", now - 7 * kDay);
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call", "coupon"));
  request.mutable_contacts(0)->clear_time();  // now
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), ElementsAre("letter", "call", "coupon"));
  // What a visitor did counts just so.
  v1::NextBestActionRequest visitor;
  v1::Event& event = *visitor.mutable_visitor()->add_events();
  event.set_item_id("visit");
  event.set_type("view");
  ASSERT_TRUE(ask(visitor).ok());
  EXPECT_THAT(ids(), ::testing::Not(::testing::Contains("visit")));
  EXPECT_EQ(response_.withheld(), 1);
  event.mutable_time()->set_seconds((now - 8 * kDay) / kSecond);
  ASSERT_TRUE(ask(visitor).ok());
  EXPECT_THAT(ids(), ::testing::Contains("visit"));
}

TEST_F(ActionsTest, WhatWasRecordedIsAContactWhateverItsType) {
  publish(shop());
  ServingOptions with = options();
  with.store = store_;
  with.actions = parsed("[actions.visit]\ncool_down_days = 7\n[actions.letter]\ncool_down_days = 7\n");
  start(with);
  record("bob", "letter", "view");
  record("bob", "visit", "shown in the app");  // which no model knows
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(ask(of("bob")).ok());
    EXPECT_THAT(ids(), ElementsAre("call", "coupon"));
    EXPECT_EQ(response_.withheld(), 2);
    recommend("bob");  // whose profile is kept
  }
  v1::NextBestActionRequest complete = of("bob");
  complete.set_contacts_are_complete(true);
  ASSERT_TRUE(ask(complete).ok());
  EXPECT_EQ(response_.withheld(), 0);
}

TEST_F(ActionsTest, LimitsOfContactsHoldForOneActionAndForAll) {
  publish(shop());
  const int64_t now = kTrainingEnd + 100 * kDay;
  start_with("[actions]\ncontact_limit = 3\ncontact_days = 30\n[actions.call]\ncontact_limit = 2\ncontact_days = 90\n", now);
  v1::NextBestActionRequest request = of("bob");
  contact(request, "call", now - 40 * kDay);
  contact(request, "call", now - 80 * kDay);
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "coupon"));
  EXPECT_EQ(response_.withheld(), 1);
  for (const int days : {1, 2, 3}) contact(request, "visit", now - days * kDay);
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_EQ(response_.withheld(), 4);
  EXPECT_THAT(response_.shortfall(), ::testing::Contains(v1::SHORTFALL_FILTERED));
}

TEST_F(ActionsTest, WhatIsStoredCountsAsLateAsItMayHaveHappened) {
  publish(shop());
  const char config[] = "[actions.letter]\ncool_down_days = 7\n";
  start_with(config, kTrainingEnd + 6 * kDay);
  ASSERT_TRUE(ask(of("alice")).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "call"));
  v1::NextBestActionRequest request = of("alice");
  request.set_contacts_are_complete(true);
  ASSERT_TRUE(ask(request).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call"));
  serving_.reset();
  start_with(config, kTrainingEnd + 7 * kDay);
  ASSERT_TRUE(ask(of("alice")).ok());
  EXPECT_THAT(ids(), ElementsAre("visit", "letter", "call"));
}

TEST_F(ActionsTest, SomebodyOfWhomNothingIsKnownGetsThoseThatMostTook) {
  publish(shop());
  start_with("[actions.coupon]\nvalue = 5\n");
  for (const char* customer : {"a stranger", "carol"}) {
    ASSERT_TRUE(ask(of(customer)).ok());
    EXPECT_THAT(ids(), ElementsAre("coupon", "letter", "call", "visit"));
    EXPECT_EQ(response_.results(0).item().source(), v1::SOURCE_FALLBACK_POPULAR);
    EXPECT_EQ(response_.results(0).probability(), 0.25);
    EXPECT_EQ(response_.results(1).expected_value(), 0.5);
    EXPECT_THAT(response_.shortfall(), ::testing::Contains(v1::SHORTFALL_COLD_CUSTOMER));
  }
}

TEST_F(ActionsTest, RowsAreExplained) {
  publish(shop());
  start_with("");
  v1::NextBestActionRequest request = of("alice");
  request.set_explain(v1::EXPLAIN_FULL);
  ASSERT_TRUE(ask(request).ok());
  ASSERT_GT(response_.results_size(), 0);
  for (const v1::ActionOffer& row : response_.results()) {
    double sum = 0;
    for (const v1::Contribution& part : row.item().contributions()) sum += part.value();
    EXPECT_NEAR(sum, double{row.item().score()}, 1e-9);
    EXPECT_GT(row.item().contributions_size(), 1);
  }
}

TEST_F(ActionsTest, AModelWithoutProbabilitiesOfActionsIsToldApart) {
  Artifact plain = shop();
  plain.calibration.maps.clear();
  publish(std::move(plain));
  start_with("");
  const grpc::Status status = ask(of("bob"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("no probabilities of actions"));
  EXPECT_TRUE(ask(of("a stranger")).ok());
}

TEST_F(ActionsTest, APlacementWithoutActionsAndBadFieldsAreRefused) {
  publish(shop());
  ServingOptions with = options();
  with.placements = Placements({{.name = "home", .kinds = 0b001, .filter = "", .k = 0, .mix = {}, .model = {}, .place = "shop.toml:1"}});
  start(with);
  v1::NextBestActionRequest request = of("bob");
  request.set_placement("home");
  EXPECT_THAT(ask(request).error_message(), HasSubstr("kinds: are none of those of placement 'home'"));
  request.clear_placement();
  contact(request, "", 5 * kDay);
  EXPECT_THAT(ask(request).error_message(), HasSubstr("contacts[0].item_id"));
  request.clear_contacts();
  request.set_k(1001);
  EXPECT_EQ(ask(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace bouquet::server
