#include "training/test_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/training/small_shop.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RowMaps all_known(const Dataset& shop) {
  RowMaps rows;
  for (int32_t c = 0; c < shop.customers.size(); ++c) rows.customers.push_back(c);
  for (int32_t i = 0; i < shop.items.size(); ++i) rows.items.push_back(i);
  return rows;
}

TEST(TestSet, HoldsWhatEachCustomerConsumedInThePart) {
  const Dataset shop = shop_of({{"ann", "milk"}, {"ann", "tea", 2}, {"bob", "tea"}, {"bob", "milk", 2}, {"bob", "milk", 3}, {"", "jam"}});
  std::vector<uint8_t> part(static_cast<size_t>(shop.events.size()), 0);
  for (size_t e = 0; e < part.size(); ++e) part[e] = shop.events.times[e] >= 2 * kDay;
  const auto tests = build_test_set(shop, part, shop.rules, all_known(shop));
  ASSERT_TRUE(tests.ok()) << tests.status();
  EXPECT_THAT(tests->customers, ElementsAre(0, 1));
  EXPECT_THAT(tests->relevant_of(0), ElementsAre(shop.items.find("tea")));
  EXPECT_THAT(tests->relevant_of(1), ElementsAre(shop.items.find("milk")));
}

TEST(TestSet, LeavesOutWhatWasReturnedOrOnlyViewed) {
  const Dataset shop = shop_of({{"ann", "milk", 1}, {"ann", "milk", 2, -1}, {"ann", "tea", 1, 1, kNone, "view"}, {"ann", "jam"}});
  const auto tests = build_test_set(shop, {}, shop.rules, all_known(shop));
  EXPECT_THAT(tests->relevant_of(0), ElementsAre(shop.items.find("jam")));
}

TEST(TestSet, CountsUnknownItemsAndKeepsUnknownCustomers) {
  const Dataset shop = shop_of({{"ann", "milk"}, {"ann", "tea"}, {"bob", "tea"}});
  RowMaps rows = all_known(shop);
  rows.customers = {kNone, 7};
  rows.items = {3, kNone};
  const auto tests = build_test_set(shop, {}, shop.rules, rows);
  EXPECT_THAT(tests->customers, ElementsAre(kNone, 7));
  EXPECT_THAT(tests->relevant, ElementsAre(3));
  EXPECT_THAT(tests->unknown_relevant, ElementsAre(1, 1));
}

TEST(TestSet, RelevantItemsAscendInTheModelsNumbering) {
  const Dataset shop = shop_of({{"ann", "milk"}, {"ann", "tea"}, {"ann", "jam"}});
  RowMaps rows = all_known(shop);
  rows.items = {2, 0, 1};
  EXPECT_THAT(build_test_set(shop, {}, shop.rules, rows)->relevant, ElementsAre(0, 1, 2));
}

TEST(TestSet, TakesAnEvenSampleOfTooManyCustomers) {
  std::vector<Bought> rows;
  for (int c = 0; c < 500; ++c) rows.push_back({"c" + std::to_string(c), "milk"});
  const Dataset shop = shop_of(rows);
  const auto tests = build_test_set(shop, {}, shop.rules, all_known(shop), 100, 3);
  ASSERT_EQ(tests->size(), 100);
  EXPECT_TRUE(std::is_sorted(tests->customers.begin(), tests->customers.end()));
  EXPECT_EQ(std::adjacent_find(tests->customers.begin(), tests->customers.end()), tests->customers.end());
  EXPECT_GT(tests->customers.back(), 400);
  EXPECT_EQ(tests->relevant.size(), 100u);
  EXPECT_NE(build_test_set(shop, {}, shop.rules, all_known(shop), 100, 4)->customers, tests->customers);
}

TEST(TestSet, SaysWhichTypesThereAreWhenNobodyConsumes) {
  const Dataset shop = shop_of({{"ann", "milk", 1, 1, kNone, "view"}, {"ann", "tea", 1, 1, kNone, "cart"}});
  EXPECT_THAT(std::string(build_test_set(shop, {}, shop.rules, all_known(shop)).status().message()), HasSubstr("cart, view"));
}

}  // namespace
}  // namespace bouquet::training
