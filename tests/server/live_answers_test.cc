// What a model does not know yet counts in answers: events and attributes of a LiveSource.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "server/profile_solver.h"
#include "server/recommender.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

struct Said {
  std::string item_id;
  std::string type = "purchase";
  int64_t time = 0;
  float value = 1;
};

class FakeSource : public LiveSource {
 public:
  int64_t version_of(std::string_view customer_id) const override {
    int64_t newest_of_person = 0;
    for (const std::string& id : person_of(customer_id))
      if (const auto at = versions.find(id); at != versions.end()) newest_of_person = std::max(newest_of_person, at->second);
    return newest_of_person;
  }
  int64_t newest_version() const override { return newest; }
  void rows_of(std::string_view customer_id, std::vector<CustomerIndex>& rows) const override {
    for (const std::string& id : person_of(customer_id))
      if (const CustomerIndex row = row_of(id); row != kNone) rows.push_back(row);
  }
  absl::Status read(std::string_view customer_id, const TakeEvent& take, std::vector<KnownAttributes>& known) const override {
    ++reads;
    if (!failure.ok()) return failure;
    if (during_read) during_read();
    for (const std::string& id : person_of(customer_id)) {
      KnownAttributes& one = known.emplace_back();
      one.row = row_of(id);
      if (const auto at = events.find(id); at != events.end())
        for (const Said& event : at->second) take(event.item_id, event.type, event.time, event.value);
      if (const auto at = attributes.find(id); at != attributes.end())
        for (const auto& [name, value] : at->second) one.live[name] = value;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<PastPart> read_past(std::string_view, const PastMoment&, const TakeEvent&, std::vector<KnownAttributes>&) const override {
    return absl::UnimplementedError("no past");
  }
  bool is_erased(CustomerIndex row) const override { return erased.contains(row); }
  int64_t erased_count() const override { return static_cast<int64_t>(erased.size()); }
  void take_out_erased(std::span<uint64_t> bitmap) const override {
    for (const CustomerIndex row : erased) bitmap[static_cast<size_t>(row) / 64] &= ~(uint64_t{1} << (row % 64));
  }
  void say(const std::string& customer_id, const Said& event) {
    events[customer_id].push_back(event);
    versions[customer_id] = ++newest;
  }

  const Artifact* artifact = nullptr;
  std::vector<std::string> person;  // ids that are one, the root first
  std::map<std::string, std::vector<Said>> events;
  std::map<std::string, std::map<std::string, v1::AttributeValue>> attributes;
  std::map<std::string, int64_t> versions;
  std::set<CustomerIndex> erased;
  int64_t newest = 0;
  absl::Status failure;
  std::function<void()> during_read;
  mutable int reads = 0;

 private:
  std::vector<std::string> person_of(std::string_view id) const {
    return std::ranges::find(person, id) != person.end() ? person : std::vector{std::string(id)};
  }
  CustomerIndex row_of(const std::string& id) const {
    const CustomerIndex row = artifact->customer_ids.find(id);
    return erased.contains(row) ? kNone : row;
  }
};

class LiveAnswers : public ::testing::Test {
 protected:
  void open(const Artifact& artifact) {
    auto served = ServedModel::load(std::make_shared<const Artifact>(artifact), *backend_);
    ASSERT_TRUE(served.ok()) << served.status();
    served_ = *served;
    source_.artifact = &served_->artifact();
    auto made = Recommender::make(*served_, 8, {.live = {&source_, &fresh_}});
    ASSERT_TRUE(made.ok()) << made.status();
    recommender_ = *std::move(made);
  }
  void SetUp() override { open(random_shop(60, 5, 8, 2).artifact()); }

  v1::RecommendResponse recommend(v1::RecommendRequest request) {
    request.set_k(10);
    v1::RecommendResponse response;
    const absl::Status status = recommender_->recommend(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::RecommendResponse recommend(const std::string& customer) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    return recommend(request);
  }
  static std::vector<std::string> ids(const v1::RecommendResponse& response) {
    std::vector<std::string> out;
    for (const auto& row : response.results()) out.push_back(row.item_id());
    return out;
  }
  static std::vector<float> scores(const v1::RecommendResponse& response) {
    std::vector<float> out;
    for (const auto& row : response.results()) out.push_back(row.score());
    return out;
  }

  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  FakeSource source_;
  FreshProfiles fresh_{1 << 20};
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
};

TEST_F(LiveAnswers, AreTheStoredOnesWhereNothingIsNew) {
  source_.say("somebody else", {.item_id = "item3"});
  const auto response = recommend("customer0");
  EXPECT_EQ(response.profile_version(), 0);
  EXPECT_EQ(source_.reads, 0);
}

TEST_F(LiveAnswers, WhatWasBoughtASecondAgoIsNotOfferedAndMovesTheProfile) {
  const auto before = recommend("customer0");
  const std::string bought = before.results(0).item_id();
  source_.say("customer0", {.item_id = bought});
  const auto after = recommend("customer0");
  EXPECT_THAT(ids(after), Not(Contains(bought)));
  EXPECT_EQ(after.profile_version(), 1);
  EXPECT_EQ(after.events_used(), before.events_used() + 1);
  EXPECT_NE(after.results(0).score(), before.results(1).score());
  EXPECT_EQ(after.results(0).source(), v1::SOURCE_MODEL);
}

// A customer whom the model does not know is answered as a visitor with the same events.
TEST_F(LiveAnswers, NewCustomersAreAnsweredByTheirEvents) {
  v1::RecommendRequest visitor;
  for (const std::string item : {"item3", "item50", "item3"}) {
    source_.say("new", {.item_id = item, .type = "purchase", .time = served_->artifact().rules.reference_time, .value = 2});
    v1::Event* event = visitor.mutable_visitor()->add_events();
    event->set_item_id(item);
    event->set_value(2);
  }
  const auto of_visitor = recommend(visitor);
  for (int round = 0; round < 2; ++round) {  // solved, then kept
    const auto response = recommend("new");
    EXPECT_EQ(ids(response), ids(of_visitor));
    EXPECT_EQ(scores(response), scores(of_visitor));
    EXPECT_EQ(response.events_used(), 2);
    EXPECT_EQ(response.profile_version(), 3);
  }
  EXPECT_EQ(source_.reads, 1);
}

TEST_F(LiveAnswers, AreSolvedAgainAfterTheNextEventAndNotBefore) {
  source_.say("customer1", {.item_id = "item3"});
  const auto first = recommend("customer1");
  EXPECT_EQ(scores(recommend("customer1")), scores(first));
  EXPECT_EQ(source_.reads, 1);
  source_.say("customer1", {.item_id = "item4"});
  const auto second = recommend("customer1");
  EXPECT_NE(scores(second), scores(first));
  EXPECT_EQ(second.profile_version(), 2);
  EXPECT_EQ(source_.reads, 2);
  // What is asked for besides needs its own solution, and does not spoil the kept one.
  v1::RecommendRequest request;
  request.set_customer_id("customer1");
  request.add_context_item_ids("item9");
  EXPECT_NE(scores(recommend(request)), scores(second));
  EXPECT_EQ(scores(recommend("customer1")), scores(second));
}

TEST_F(LiveAnswers, PassOverItemsAndTypesThatTheModelDoesNotKnow) {
  v1::RecommendRequest solved;  // the shop's stored profiles are not those of its histories
  solved.set_customer_id("customer0");
  solved.set_explain(v1::EXPLAIN_TOP);
  const auto before = recommend(solved);
  source_.say("customer0", {.item_id = "an item of tomorrow"});
  source_.say("customer0", {.item_id = "item3", .type = "gift"});
  const auto after = recommend("customer0");
  EXPECT_EQ(ids(after), ids(before));
  EXPECT_EQ(after.profile_version(), 2);
}

TEST_F(LiveAnswers, AReturnOfWhatTheModelKnowsAsBoughtBringsItBack) {
  const auto& histories = served_->artifact().histories;
  ItemIndex bought = kNone;
  for (int64_t e = histories.offsets[0]; e < histories.offsets[1] && bought == kNone; ++e)
    if (histories.consumed[e] != 0) bought = histories.items[e];
  ASSERT_NE(bought, kNone);
  source_.say("customer0", {.item_id = std::string(served_->artifact().item_ids.id(bought)), .type = "return", .time = 0, .value = 1000});
  v1::GetProfileRequest request;
  request.set_customer_id("customer0");
  request.set_history(100);
  v1::Profile profile;
  const Question question = Exchange<v1::GetProfileRequest, v1::Profile>{&request, &profile};
  absl::Status status;
  recommender_->answer({&question, 1}, {&status, 1});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(profile.profile_version(), 1);
  int returned = 0;
  for (const auto& item : profile.history()) {
    if (item.item_id() != served_->artifact().item_ids.id(bought)) continue;
    ++returned;
    EXPECT_TRUE(item.returned());
    EXPECT_FALSE(item.purchased());
  }
  EXPECT_EQ(returned, 1);
}

TEST_F(LiveAnswers, AnEventOfAbsurdWeightKeepsNobodyFromAnAnswer) {
  for (const std::string item : {"item3", "item9", "item21"}) {
    source_.say("customer0", {.item_id = item, .type = "rating", .time = 0, .value = 1e30f});
    source_.say("new", {.item_id = item, .type = "rating", .time = 0, .value = 1e30f});
  }
  EXPECT_EQ(recommend("customer0").results_size(), 10);
  EXPECT_EQ(recommend("new").results(0).source(), v1::SOURCE_MODEL);
}

TEST_F(LiveAnswers, AVersionThatIsNotThereYetIsUnavailable) {
  source_.say("customer0", {.item_id = "item3"});
  v1::RecommendRequest request;
  request.set_customer_id("customer0");
  request.set_min_profile_version(1);
  EXPECT_EQ(recommend(request).profile_version(), 1);
  request.set_min_profile_version(2);
  v1::RecommendResponse response;
  const absl::Status status = recommender_->recommend(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("min_profile_version 2 has not been recorded here; the newest is 1"));
  request.set_min_profile_version(-1);
  EXPECT_EQ(recommender_->recommend(request, &response).code(), absl::StatusCode::kInvalidArgument);
  request.set_min_profile_version(2);
  auto without = Recommender::make(*served_, 8);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ((*without)->recommend(request, &response).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LiveAnswers, AStoreThatFailsSpoilsNobodyElsesAnswer) {
  source_.say("customer0", {.item_id = "item3"});
  source_.failure = absl::ResourceExhaustedError("the disk is gone");
  std::vector<v1::RecommendRequest> requests(2);
  std::vector<v1::RecommendResponse> responses(2);
  std::vector<Question> questions;
  for (size_t i = 0; i < 2; ++i) {
    requests[i].set_customer_id("customer" + std::to_string(i));
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&requests[i], &responses[i]});
  }
  std::vector<absl::Status> statuses(2);
  recommender_->answer(questions, statuses);
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(statuses[1].ok());
  EXPECT_GT(responses[1].results_size(), 0);
}

TEST_F(LiveAnswers, TakeAttributesThatWereSaidLaterAndPassOverWhatTheModelCannotTake) {
  open(attributed_shop());
  v1::RecommendRequest sent;
  sent.set_customer_id("customer1");
  (*sent.mutable_attributes())["age"].set_number(70);
  const auto wanted = recommend(sent);
  source_.attributes["customer1"]["age"].set_number(70);
  source_.attributes["customer1"]["shoe size"].set_number(43);
  source_.attributes["customer1"]["country"].mutable_vector()->add_values(49);
  source_.versions["customer1"] = source_.newest = 5;
  const auto live = recommend("customer1");
  EXPECT_EQ(scores(live), scores(wanted));
  EXPECT_EQ(live.attributes_used(), 1);
  EXPECT_EQ(live.profile_version(), 5);
  // What the request says goes before what was said earlier.
  (*sent.mutable_attributes())["age"].set_number(20);
  const auto other = recommend(sent);
  EXPECT_NE(scores(other), scores(wanted));
  source_.attributes["customer1"]["age"].set_number(20);
  source_.versions["customer1"] = source_.newest = 6;
  EXPECT_EQ(scores(recommend("customer1")), scores(other));
}

TEST_F(LiveAnswers, OfWhoeverIsMergedAreOfAllRowsOfThePerson) {
  const auto history_of = [&](const std::string& customer) {
    v1::GetProfileRequest request;
    request.set_customer_id(customer);
    request.set_history(1000);
    request.set_neighbors(5);
    v1::Profile profile;
    const Question question = Exchange<v1::GetProfileRequest, v1::Profile>{&request, &profile};
    absl::Status status;
    recommender_->answer({&question, 1}, {&status, 1});
    EXPECT_TRUE(status.ok()) << status;
    return profile;
  };
  std::set<std::string> bought;
  std::map<std::string, float> weights;
  for (const char* id : {"customer1", "customer3"}) {
    const v1::Profile alone = history_of(id);
    for (const auto& item : alone.history()) {
      weights[item.item_id()] += item.weight();
      if (item.purchased()) bought.insert(item.item_id());
    }
  }
  const v1::Profile alone = history_of("customer1");
  EXPECT_THAT(alone.neighbors(), Contains(testing::Property(&v1::SimilarCustomer::customer_id, "customer3")));
  source_.person = {"customer3", "new", "customer1"};
  source_.say("new", {.item_id = "item59"});
  bought.insert("item59");
  weights["item59"] += 1;
  for (const std::string& id : source_.person) {
    const v1::Profile profile = history_of(id);
    EXPECT_TRUE(profile.known());
    EXPECT_EQ(profile.history_size(), static_cast<int>(weights.size()));
    for (const auto& item : profile.history()) EXPECT_FLOAT_EQ(item.weight(), weights.at(item.item_id())) << item.item_id();
    for (const auto& row : profile.neighbors())
      EXPECT_TRUE(row.customer_id() != "customer1" && row.customer_id() != "customer3") << "who is asked for is not their own neighbour";
    v1::RecommendRequest request;
    request.set_customer_id(id);
    request.set_k(60);
    v1::RecommendResponse response;
    ASSERT_TRUE(recommender_->recommend(request, &response).ok());
    for (const auto& row : response.results()) EXPECT_FALSE(bought.contains(row.item_id())) << row.item_id();
    EXPECT_EQ(scores(recommend(id)), scores(recommend("customer3")));
  }
}

TEST_F(LiveAnswers, OfWhoeverIsMergedTheRootHasTheWordOnAttributes) {
  open(attributed_shop());  // of customer0 the training knew age 50 and country DE
  const auto ask = [&](const std::vector<std::string>& person) {
    source_.person = person;
    source_.versions["customer1"] = ++source_.newest;
    return recommend(person.back());
  };
  const auto without = ask({"customer0", "customer1"});
  EXPECT_EQ(without.attributes_used(), 2);
  source_.attributes["customer1"]["age"].set_number(70);
  const auto said = ask({"customer0", "customer1"});
  EXPECT_NE(scores(said), scores(without)) << "what was recorded of anybody goes before what the training knew";
  EXPECT_EQ(said.attributes_used(), 2) << "the training alone knows the country";
  EXPECT_EQ(scores(ask({"customer1", "customer0"})), scores(said));
  source_.attributes["customer0"]["age"].set_number(20);
  EXPECT_NE(scores(ask({"customer0", "customer1"})), scores(said));
  EXPECT_EQ(scores(ask({"customer1", "customer0"})), scores(said));
  source_.attributes["customer0"]["age"].Clear();
  EXPECT_EQ(ask({"customer0", "customer1"}).attributes_used(), 1) << "to be missing is a word";
}

// What is solved while its customer is erased is not kept for whoever has the id next.
TEST_F(LiveAnswers, AProfileWhoseCustomerIsErasedMeanwhileIsNotKept) {
  source_.say("customer0", {.item_id = "item3"});
  recommend("customer0");
  const int64_t kept = fresh_.bytes();
  EXPECT_GT(kept, 0);
  source_.say("customer1", {.item_id = "item3"});
  source_.during_read = [&] {
    source_.versions.erase("customer1");
    source_.erased.insert(1);
  };
  recommend("customer1");
  EXPECT_EQ(fresh_.bytes(), kept);
}

TEST_F(LiveAnswers, SolvedAheadAreThoseThatARequestWouldHaveSolved) {
  source_.say("customer0", {.item_id = "item3"});
  source_.say("customer1", {.item_id = "item4"});
  source_.say("new", {.item_id = "item5"});
  std::map<std::string, std::string> lazily;
  for (const char* id : {"customer0", "customer1", "new"}) lazily[id] = recommend(id).SerializeAsString();
  for (const auto& [id, answer] : lazily) fresh_.forget(id);
  ASSERT_EQ(fresh_.bytes(), 0);

  auto solver = ProfileSolver::make(*served_, 2, {&source_, &fresh_});
  ASSERT_TRUE(solver.ok()) << solver.status();
  const std::vector<std::string> ids{"customer0", "customer2", "customer1", "nobody", "new"};
  EXPECT_EQ((*solver)->solve(ids), 3) << "of two nothing is new";
  EXPECT_EQ((*solver)->solve(ids), 0) << "all are there";
  const int reads = source_.reads;
  for (const auto& [id, answer] : lazily) EXPECT_EQ(recommend(id).SerializeAsString(), answer) << id;
  EXPECT_EQ(source_.reads, reads) << "nothing was solved for these";
}

TEST_F(LiveAnswers, SolvedAheadOfSomebodyWhoIsErasedMeanwhileAreNotKept) {
  auto solver = ProfileSolver::make(*served_, 8, {&source_, &fresh_});
  ASSERT_TRUE(solver.ok()) << solver.status();
  const std::vector<std::string> ids{"customer1"};
  source_.say("customer1", {.item_id = "item3"});
  source_.during_read = [&] {
    source_.versions.erase("customer1");
    fresh_.forget("customer1");
    source_.erased.insert(1);
  };
  EXPECT_EQ((*solver)->solve(ids), 1);
  EXPECT_EQ(fresh_.bytes(), 0);
  source_.during_read = nullptr;
  source_.say("customer1", {.item_id = "item4"});
  (*solver)->solve(ids);
  EXPECT_GT(fresh_.bytes(), 0) << "what has come since is kept";
}

TEST(FreshProfiles, KeepsTheLatestWithinItsBound) {
  FreshProfiles kept(16 * 2000);
  const auto profile = [](int64_t version) {
    return std::make_shared<FreshProfile>(FreshProfile{
        .version = version, .profile = std::vector<float>(100), .items = {}, .consumed = {}, .repurchase = {}, .attributes_used = 0});
  };
  for (int i = 0; i < 1000; ++i) kept.put("customer" + std::to_string(i), profile(1));
  EXPECT_LE(kept.bytes(), 16 * 2000);
  EXPECT_GT(kept.bytes(), 16 * 1000);
  EXPECT_NE(kept.find("customer999", 1), nullptr);
  EXPECT_EQ(kept.find("customer0", 1), nullptr);
  EXPECT_EQ(kept.find("customer998", 2), nullptr);
  kept.put("customer999", profile(7));
  kept.put("customer999", profile(6));  // late
  EXPECT_NE(kept.find("customer999", 7), nullptr);
}

}  // namespace
}  // namespace bouquet::server
