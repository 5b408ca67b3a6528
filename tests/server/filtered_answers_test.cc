// Filters in every request that recommends: what does not fit never appears, what fits stands as it would without the filter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/catalog_columns_builder.h"
#include "server/bad_request.h"
#include "server/recommender.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kItems = 150;
constexpr char kCheap[] = "price < 4";

// Items 0, 1, 2 .. cost 0, 1, .. 9, 0, 1 ..; every eleventh has no price.
bool has_price(int item) { return item % 11 != 10; }
bool is_cheap(int item) { return has_price(item) && item % 10 < 4; }

TinyShop priced_shop() {
  TinyShop shop = random_shop(kItems, 14, 8, 5);
  std::vector<double> prices;
  for (int i = 0; i < kItems; ++i) prices.push_back(has_price(i) ? i % 10 : std::numeric_limits<double>::quiet_NaN());
  CatalogColumnsBuilder columns;
  columns.add_numbers("price", prices);
  shop.columns = columns.finish();
  shop.repurchase_share = 0.5;
  for (int i = 1; i < 30; ++i) shop.baskets.insert(shop.baskets.end(), 3, {0, i});
  return shop;
}

int item_of(const v1::RecommendedItem& row) { return std::stoi(row.item_id().substr(4)); }
int item_of(const v1::CrossSellItem& row) { return item_of(row.item()); }

template <typename Response>
std::vector<int> items(const Response& response) {
  std::vector<int> out;
  for (const auto& row : response.results()) out.push_back(item_of(row));
  return out;
}

// The rows of the whole answer that are cheap, at most k.
template <typename Response>
std::vector<int> cheap_items(const Response& whole, size_t k) {
  std::vector<int> out;
  for (const int item : items(whole))
    if (is_cheap(item) && out.size() < k) out.push_back(item);
  return out;
}

class FilteredAnswers : public ::testing::Test {
 protected:
  v1::RecommendResponse answer(const v1::RecommendRequest& request) {
    v1::RecommendResponse response;
    const absl::Status status = recommender_->recommend(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::SimilarItemsResponse answer(const v1::SimilarItemsRequest& request) {
    v1::SimilarItemsResponse response;
    const absl::Status status = recommender_->similar_items(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::CrossSellResponse answer(const v1::CrossSellRequest& request) {
    v1::CrossSellResponse response;
    const absl::Status status = recommender_->cross_sell(request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  // Filtered, the request is answered with the cheap rows of its whole answer, and says so where they are fewer than k.
  template <typename Request>
  void expect_filtered(Request request) {
    request.set_k(1000);
    const auto whole = answer(request);
    request.set_filter(kCheap);
    const auto all_cheap = answer(request);
    EXPECT_EQ(items(all_cheap), cheap_items(whole, 1000));
    EXPECT_GT(all_cheap.results_size(), 5);
    EXPECT_LT(all_cheap.results_size(), whole.results_size());
    EXPECT_THAT(all_cheap.shortfall(), Contains(v1::SHORTFALL_FILTERED));
    request.set_k(5);
    const auto five = answer(request);
    EXPECT_EQ(five.results_size(), 5);
    EXPECT_THAT(five.shortfall(), Not(Contains(v1::SHORTFALL_FILTERED)));
  }

  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::shared_ptr<const ServedModel> served_ = *ServedModel::load(priced_shop().shared(), *backend_);
  std::unique_ptr<Recommender> recommender_ = *Recommender::make(*served_, 64);
};

TEST_F(FilteredAnswers, OfACustomerAVisitorAndNobodyKnown) {
  v1::RecommendRequest request;
  request.set_customer_id("customer3");
  expect_filtered(request);
  request.add_context_item_ids("item4");  // solved anew
  expect_filtered(request);
  request.set_customer_id("stranger");
  request.clear_context_item_ids();
  expect_filtered(request);
  request.mutable_visitor()->add_events()->set_item_id("item7");
  expect_filtered(request);
}

TEST_F(FilteredAnswers, OfWhatIsBoughtAgain) {
  v1::RecommendRequest request;
  request.set_customer_id("customer2");
  request.set_include_purchased(true);
  request.set_filter(kCheap);
  request.set_k(1000);
  const auto response = answer(request);
  int repurchases = 0;
  for (const auto& row : response.results()) {
    EXPECT_TRUE(is_cheap(item_of(row)));
    if (row.source() == v1::SOURCE_REPURCHASE) ++repurchases;
  }
  EXPECT_GT(repurchases, 1);
  int cheap = 0;
  for (int i = 0; i < kItems; ++i) cheap += is_cheap(i) ? 1 : 0;
  EXPECT_EQ(response.results_size(), cheap);
}

TEST_F(FilteredAnswers, OfSimilarItemsAndBaskets) {
  v1::SimilarItemsRequest similar;
  similar.set_item_id("item9");  // itself not cheap
  expect_filtered(similar);
  v1::CrossSellRequest cross_sell;
  cross_sell.add_item_ids("item0");
  expect_filtered(cross_sell);
  cross_sell.set_k(1000);
  cross_sell.set_filter(kCheap);
  const auto response = answer(cross_sell);
  EXPECT_EQ(response.results(0).item().source(), v1::SOURCE_CO_PURCHASE);
  EXPECT_EQ(response.results(response.results_size() - 1).item().source(), v1::SOURCE_ITEM_SIMILARITY);
}

TEST_F(FilteredAnswers, AFilterAndKindsBothHold) {
  v1::RecommendRequest request;
  request.set_customer_id("customer3");
  request.set_filter(kCheap);
  request.set_k(1000);
  for (int repeat = 0; repeat < 2; ++repeat) {  // compiled, then from the cache
    const auto of_all_kinds = answer(request);
    auto content = request;
    content.add_kinds(v1::ITEM_KIND_CONTENT);
    const auto of_content = answer(content);
    EXPECT_GT(of_all_kinds.results_size(), of_content.results_size());
    EXPECT_GT(of_content.results_size(), 0);
    for (const auto& row : of_content.results()) EXPECT_TRUE(is_cheap(item_of(row)) && row.kind() == v1::ITEM_KIND_CONTENT);
  }
}

TEST_F(FilteredAnswers, NothingFitsIsAnEmptyAnswerThatSaysSo) {
  v1::RecommendRequest request;
  request.set_customer_id("customer3");
  request.set_filter("price > 100");
  const auto response = answer(request);
  EXPECT_EQ(response.results_size(), 0);
  EXPECT_THAT(response.shortfall(), ElementsAre(v1::SHORTFALL_FILTERED));
}

TEST_F(FilteredAnswers, OneBatchHoldsManyFiltersAndOneMistakeLeavesTheOthersAlone) {
  const std::vector<std::string> filters = {"", kCheap, "price >= 4", "colour = 3", "NOT price >= 4", "price = 1 OR price = 2", kCheap};
  std::vector<v1::RecommendRequest> requests(filters.size());
  std::vector<v1::RecommendResponse> responses(filters.size());
  std::vector<Question> questions;
  for (size_t i = 0; i < filters.size(); ++i) {
    requests[i].set_customer_id("customer" + std::to_string(i));
    requests[i].set_filter(filters[i]);
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&requests[i], &responses[i]});
  }
  std::vector<absl::Status> statuses(filters.size());
  recommender_->answer(questions, statuses);
  for (size_t i = 0; i < filters.size(); ++i) {
    EXPECT_EQ(statuses[i].ok(), i != 3) << statuses[i];
    if (!statuses[i].ok()) continue;
    EXPECT_EQ(responses[i].SerializeAsString(), answer(requests[i]).SerializeAsString()) << filters[i];
  }
}

TEST_F(FilteredAnswers, AMistakeNamesTheFieldTheColumnAndTheNearestAttribute) {
  v1::RecommendRequest recommend;
  recommend.set_customer_id("customer3");
  recommend.set_filter("prices < 4");
  v1::RecommendResponse response;
  const absl::Status status = recommender_->recommend(recommend, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "filter: column 1: the items have no attribute 'prices'; the nearest is 'price'");
  google::rpc::BadRequest details;
  ASSERT_TRUE(status.GetPayload(kBadRequestType) && details.ParseFromString(std::string(*status.GetPayload(kBadRequestType))));
  EXPECT_EQ(details.field_violations(0).field(), "filter");
  v1::SimilarItemsRequest similar;
  similar.set_item_id("item9");
  similar.set_filter("price <");
  v1::SimilarItemsResponse similar_response;
  EXPECT_THAT(recommender_->similar_items(similar, &similar_response).ToString(), HasSubstr("filter: column 8"));
  v1::CrossSellRequest cross_sell;
  cross_sell.add_item_ids("item0");
  cross_sell.set_filter("price < \"4\"");
  v1::CrossSellResponse cross_sell_response;
  EXPECT_THAT(recommender_->cross_sell(cross_sell, &cross_sell_response).ToString(), HasSubstr("filter: column 9"));
}

TEST_F(FilteredAnswers, MoreFiltersThanAreKeptAreAnsweredAllTheSame) {
  v1::RecommendRequest request;
  request.set_customer_id("customer3");
  request.set_k(1000);
  for (size_t i = 0; i < 2 * kCachedFilters; ++i) {
    request.set_filter("price = " + std::to_string(i % 10) + std::string(i, ' '));
    const auto response = answer(request);
    EXPECT_GT(response.results_size(), 0);
    for (const auto& row : response.results()) EXPECT_EQ(item_of(row) % 10, static_cast<int>(i % 10));
  }
}

}  // namespace
}  // namespace bouquet::server
