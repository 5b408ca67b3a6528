// Groups and gifts: whose profiles rank, and whose purchases are left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/score.h"
#include "server/recommender.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Groups : public ::testing::Test {
 protected:
  void open(const TinyShop& shop, int32_t max_batch = 4) {
    shop_ = shop;
    recommender_.reset();
    auto served = ServedModel::load(shop.shared(), *backend_);
    ASSERT_TRUE(served.ok()) << served.status();
    served_ = *served;
    auto recommender = Recommender::make(*served_, max_batch);
    ASSERT_TRUE(recommender.ok()) << recommender.status();
    recommender_ = *std::move(recommender);
  }
  static v1::RecommendRequest of(const std::vector<std::string>& customers, v1::GroupRule rule = v1::GROUP_RULE_UNSPECIFIED, int k = 10) {
    v1::RecommendRequest request;
    for (const std::string& id : customers) request.mutable_group()->add_customer_ids(id);
    request.mutable_group()->set_rule(rule);
    request.set_k(k);
    return request;
  }
  v1::RecommendResponse recommend(const v1::RecommendRequest& request) {
    v1::RecommendResponse response;
    const absl::Status status = recommender_->recommend(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  absl::Status refusal(const v1::RecommendRequest& request) {
    v1::RecommendResponse response;
    return recommender_->recommend(request, &response);
  }
  // Rows by an own walk over all items: `value` of the members' scores, without what any of them has consumed.
  template <typename Value>
  std::vector<std::pair<std::string, float>> expected(const std::vector<size_t>& members, int k, Value value) const {
    std::vector<std::pair<float, int32_t>> order;
    for (int32_t i = 0; i < static_cast<int32_t>(shop_.items.size()); ++i) {
      std::vector<double> scores;
      bool taken = false;
      for (const size_t m : members) {
        const auto& customer = shop_.customers[m];
        scores.push_back(score(customer.profile.data(), shop_.items[static_cast<size_t>(i)].vector.data(),
                               static_cast<int32_t>(customer.profile.size())));
        for (const HistoryEntry& entry : customer.history) taken = taken || (entry.item == i && entry.consumed);
      }
      if (!taken) order.emplace_back(static_cast<float>(value(scores)), i);
    }
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
    std::vector<std::pair<std::string, float>> rows;
    for (int i = 0; i < k; ++i)
      rows.emplace_back(shop_.items[static_cast<size_t>(order[static_cast<size_t>(i)].second)].id, order[static_cast<size_t>(i)].first);
    return rows;
  }
  static void expect_rows(const v1::RecommendResponse& response, const std::vector<std::pair<std::string, float>>& rows) {
    ASSERT_EQ(static_cast<size_t>(response.results_size()), rows.size());
    for (int i = 0; i < response.results_size(); ++i) {
      EXPECT_EQ(response.results(i).item_id(), rows[static_cast<size_t>(i)].first) << i;
      EXPECT_NEAR(response.results(i).score(), rows[static_cast<size_t>(i)].second, 1e-5) << i;
    }
  }
  static std::vector<std::string> ids(const v1::RecommendResponse& response) {
    std::vector<std::string> out;
    for (const auto& row : response.results()) out.push_back(row.item_id());
    return out;
  }

  TinyShop shop_;
  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_;
  std::unique_ptr<Recommender> recommender_;
};

double mean(const std::vector<double>& scores) {
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum / static_cast<double>(scores.size());
}
double least(const std::vector<double>& scores) { return *std::min_element(scores.begin(), scores.end()); }

TEST_F(Groups, AgreeByTheMeanOfTheirScores) {
  open(random_shop(300, 8, 8, 3));
  expect_rows(recommend(of({"customer0", "customer3", "customer5"})), expected({0, 3, 5}, 10, mean));
  expect_rows(recommend(of({"customer0", "customer3", "customer5"}, v1::GROUP_RULE_MEAN, 25)), expected({0, 3, 5}, 25, mean));
}

TEST_F(Groups, AgreeByTheLeastOfTheirScores) {
  open(random_shop(300, 8, 8, 3));
  const auto by_least = expected({0, 3, 5}, 10, least);
  EXPECT_NE(by_least, expected({0, 3, 5}, 10, mean)) << "the test tells the rules apart";
  expect_rows(recommend(of({"customer0", "customer3", "customer5"}, v1::GROUP_RULE_LEAST_MISERY)), by_least);
}

TEST_F(Groups, OfOneAreThatOne) {
  open(random_shop(100, 8, 8, 3));
  v1::RecommendRequest alone;
  alone.set_customer_id("customer2");
  alone.set_k(10);
  for (const v1::GroupRule rule : {v1::GROUP_RULE_MEAN, v1::GROUP_RULE_LEAST_MISERY})
    EXPECT_EQ(recommend(of({"customer2"}, rule)).SerializeAsString(), recommend(alone).SerializeAsString());
}

TEST_F(Groups, MembersOfWhomNothingIsKnownDoNotCountAndAreNamed) {
  open(random_shop(100, 8, 8, 3));
  auto with = recommend(of({"customer2", "nobody", "customer4"}));
  EXPECT_THAT(with.unknown_customer_ids(), ElementsAre("nobody"));
  with.clear_unknown_customer_ids();
  EXPECT_EQ(with.SerializeAsString(), recommend(of({"customer2", "customer4"})).SerializeAsString());
  const auto cold = recommend(of({"nobody", "no one"}));
  EXPECT_THAT(cold.shortfall(), ElementsAre(v1::SHORTFALL_COLD_CUSTOMER));
  EXPECT_EQ(cold.results(0).source(), v1::SOURCE_FALLBACK_POPULAR);
}

TEST_F(Groups, OfManyWhoAreAllSolvedFitInABatchOfOne) {
  open(random_shop(100, 24, 8, 3), 1);
  std::vector<std::string> everybody;
  for (int c = 0; c < 20; ++c) everybody.push_back("customer" + std::to_string(c));
  v1::RecommendRequest request = of(everybody);
  request.add_context_item_ids("item3");  // nobody's stored profile answers
  const auto response = recommend(request);
  EXPECT_EQ(response.results_size(), 10);
  EXPECT_THAT(ids(response), Not(Contains("item3")));
}

TEST_F(Groups, AreNotAskedWhatIsOfOneAsker) {
  open(random_shop(30, 8, 4, 3));
  const auto refused = [&](const char* field, auto change) {
    v1::RecommendRequest request = of({"customer0", "customer1"});
    change(request);
    const absl::Status status = refusal(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(status.message(), HasSubstr(field));
  };
  refused("explain", [](auto& r) { r.set_explain(v1::EXPLAIN_TOP); });
  refused("exploration", [](auto& r) { r.mutable_exploration()->set_method(v1::EXPLORATION_METHOD_UCB); });
  refused("include_stddev", [](auto& r) { r.set_include_stddev(true); });
  refused("attributes", [](auto& r) { (*r.mutable_attributes())["age"].set_number(3); });
  refused("as_of", [](auto& r) { r.mutable_as_of()->set_event_count(3); });
  refused("group.customer_ids", [](auto& r) { r.mutable_group()->add_customer_ids("customer0"); });
  refused("group.customer_ids", [](auto& r) { r.mutable_group()->clear_customer_ids(); });
  refused("group.rule", [](auto& r) { r.mutable_group()->set_rule(static_cast<v1::GroupRule>(7)); });
  refused("group.customer_ids", [](auto& r) {
    for (int i = 0; i < 19; ++i) r.mutable_group()->add_customer_ids("more" + std::to_string(i));
  });
}

TEST_F(Groups, AGiftIsRankedForItsRecipientWithoutWhatAnybodyHas) {
  TinyShop shop = random_shop(200, 8, 8, 3);
  open(shop);
  v1::RecommendRequest request;
  request.set_customer_id("customer6");
  request.set_k(200);
  const auto for_recipient = recommend(request);
  const std::string first = for_recipient.results(0).item_id();
  // The giver has what the recipient would be offered first.
  const auto at = std::find_if(shop.items.begin(), shop.items.end(), [&](const auto& item) { return item.id == first; });
  shop.customers[1].history = {
      {.item = static_cast<ItemIndex>(at - shop.items.begin()), .confidence = 1, .consumed = true, .repurchase = 1}};
  open(shop);
  request.set_customer_id("customer1");
  request.set_recipient_id("customer6");
  const auto gift = recommend(request);
  ASSERT_EQ(gift.results_size(), for_recipient.results_size() - 1);
  for (int i = 0; i < gift.results_size(); ++i) {
    EXPECT_EQ(gift.results(i).item_id(), for_recipient.results(i + 1).item_id());
    EXPECT_EQ(gift.results(i).score(), for_recipient.results(i + 1).score());
  }
  request.mutable_group()->add_customer_ids("customer0");
  request.mutable_group()->add_customer_ids("customer1");
  EXPECT_THAT(ids(recommend(request)), Not(Contains(first)));
  request.set_include_purchased(true);
  EXPECT_THAT(ids(recommend(request)), Not(Contains(first))) << "what a giver has does not come back";
}

TEST_F(Groups, AGiftIsNotOfAVisitor) {
  open(random_shop(30, 8, 4, 3));
  v1::RecommendRequest request;
  request.mutable_visitor();
  request.set_recipient_id("customer1");
  EXPECT_THAT(refusal(request).message(), HasSubstr("recipient_id"));
}

}  // namespace
}  // namespace bouquet::server
