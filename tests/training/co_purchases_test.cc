#include "training/co_purchases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "tests/training/small_shop.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;

std::vector<int32_t> same_rows(const Dataset& shop) {
  std::vector<int32_t> rows(static_cast<size_t>(shop.items.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::map<int32_t, int32_t> partners_of(const CoPurchases& table, int32_t item) {
  std::map<int32_t, int32_t> out;
  for (int64_t i = table.offsets[item]; i < table.offsets[item + 1]; ++i) out[table.partners[i]] = table.counts[i];
  return out;
}

TEST(CoPurchases, CountsBasketsWithBothAlsoOfAnonymousCustomers) {
  const Dataset shop = shop_of({{"ann", "milk", 1, 1, 0},
                                {"ann", "tea", 1, 1, 0},
                                {"ann", "tea", 1, 1, 0},
                                {"", "tea", 2, 1, 1},
                                {"", "milk", 2, 1, 1},
                                {"", "jam", 2, 1, 1},
                                {"bob", "milk", 3, 1, 2}});
  const CoPurchases table = count_co_purchases(shop, same_rows(shop), shop.items.size());
  const int32_t milk = shop.items.find("milk"), tea = shop.items.find("tea"), jam = shop.items.find("jam");
  EXPECT_EQ(table.basket_count, 2);  // the basket with milk alone is none
  EXPECT_EQ(table.item_baskets[milk], 2);
  EXPECT_EQ(table.item_baskets[jam], 1);
  EXPECT_EQ(partners_of(table, milk), (std::map<int32_t, int32_t>{{tea, 2}, {jam, 1}}));
  EXPECT_EQ(table.partners[table.offsets[milk]], tea);  // the most frequent first
}

TEST(CoPurchases, LeavesOutReturnsViewsUnknownItemsAndGiantBaskets) {
  std::vector<Bought> rows{{"ann", "milk", 1, 1, 0}, {"ann", "tea", 1, -1, 0}, {"ann", "jam", 1, 1, 0, "view"},
                           {"ann", "salt", 1, 1, 0}, {"bob", "milk", 1, 1, 1}, {"bob", "tea", 1, 1, 1}};
  for (int i = 0; i <= kMaxBasketItems; ++i) rows.push_back({"cash and carry", "thing " + std::to_string(i), 1, 1, 2});
  const Dataset shop = shop_of(rows);
  std::vector<int32_t> item_rows = same_rows(shop);
  item_rows[static_cast<size_t>(shop.items.find("salt"))] = kNone;
  const CoPurchases table = count_co_purchases(shop, item_rows, shop.items.size());
  EXPECT_EQ(table.basket_count, 1);
  EXPECT_EQ(table.item_baskets[shop.items.find("thing 0")], 0);
  EXPECT_EQ(partners_of(table, shop.items.find("milk")), (std::map<int32_t, int32_t>{{shop.items.find("tea"), 1}}));
}

TEST(CoPurchases, KeepsTheMostFrequentPartnersAndTiesByRow) {
  std::vector<Bought> rows;
  for (int i = 0; i < 60; ++i) rows.insert(rows.end(), {{"ann", "milk", 1, 1, i}, {"ann", "thing " + std::to_string(i), 1, 1, i}});
  rows.insert(rows.end(), {{"ann", "milk", 1, 1, 60}, {"ann", "thing 59", 1, 1, 60}});
  const Dataset shop = shop_of(rows);
  const CoPurchases table = count_co_purchases(shop, same_rows(shop), shop.items.size());
  const int32_t milk = shop.items.find("milk");
  ASSERT_EQ(table.offsets[milk + 1] - table.offsets[milk], kMaxPartners);
  EXPECT_EQ(table.partners[table.offsets[milk]], shop.items.find("thing 59"));
  EXPECT_EQ(table.partners[table.offsets[milk] + 1], shop.items.find("thing 0"));
  EXPECT_EQ(table.partners[table.offsets[milk + 1] - 1], shop.items.find("thing 48"));
}

TEST(CoPurchases, DataWithoutBasketsGiveNoTable) {
  const Dataset shop = shop_of({{"ann", "milk"}, {"ann", "tea"}});
  EXPECT_TRUE(count_co_purchases(shop, same_rows(shop), 2).offsets.empty());
}

RC_GTEST_PROP(CoPurchases, EqualTheNaiveCounts, ()) {
  std::vector<Bought> rows;
  std::map<int, std::set<std::string>> baskets;
  for (const int drawn : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 80))) {
    const std::string item(1, static_cast<char>('a' + drawn % 8));
    rows.push_back({drawn % 3 == 0 ? "" : "c" + std::to_string(drawn % 3), item, 1, 1, drawn / 8});
    baskets[drawn / 8].insert(item);
  }
  RC_PRE(!rows.empty());
  const Dataset shop = shop_of(rows);
  const CoPurchases table = count_co_purchases(shop, same_rows(shop), shop.items.size());
  for (int32_t a = 0; a < shop.items.size(); ++a) {
    std::map<int32_t, int32_t> expected;
    for (const auto& [number, items] : baskets)
      if (items.count(std::string(shop.items.id(a))))
        for (const std::string& other : items)
          if (shop.items.find(other) != a) ++expected[shop.items.find(other)];
    RC_ASSERT(partners_of(table, a) == expected);
  }
}

}  // namespace
}  // namespace bouquet::training
