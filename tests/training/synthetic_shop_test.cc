#include "training/synthetic_shop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/engine/tiny_artifact.h"
#include "training/event_reader.h"
#include "training/shop_files.h"

namespace bouquet::training {
namespace {

using testing::HasSubstr;

SyntheticShop shop_of(const ShopSettings& settings) {
  auto shop = SyntheticShop::make(settings);
  EXPECT_TRUE(shop.ok()) << shop.status();
  return *std::move(shop);
}

ShopSettings small() { return {.customers = 300, .items = 200, .events = 12000, .clusters = 10}; }

std::vector<ShopEvent> all_events(const SyntheticShop& shop) {
  std::vector<ShopEvent> all;
  shop.for_each_customer([&](std::span<const ShopEvent> life) {
    all.insert(all.end(), life.begin(), life.end());
    return true;
  });
  return all;
}

TEST(SyntheticShop, HasExactlyTheEventsThatWereAskedFor) {
  for (const int64_t events : {300, 301, 1499, 1500, 12000, 200000}) {
    ShopSettings settings = small();
    settings.events = events;
    const SyntheticShop shop = shop_of(settings);
    const std::vector<ShopEvent> all = all_events(shop);
    EXPECT_EQ(static_cast<int64_t>(all.size()), events);
    std::set<CustomerIndex> customers;
    for (const ShopEvent& e : all) customers.insert(e.customer);
    EXPECT_EQ(customers.size(), 300u) << "every customer has an event";
  }
}

TEST(SyntheticShop, HasAsManyDistinctPairsAsTheRepeatsLeave) {
  const SparseRows rows = shop_rows(shop_of(small()));
  EXPECT_TRUE(validate(rows).ok()) << validate(rows);
  EXPECT_EQ(rows.row_count(), 300);
  EXPECT_NEAR(static_cast<double>(rows.pair_count()), 12000 * 0.7, 12000 * 0.01);
}

TEST(SyntheticShop, KeepsEveryEventInItsRange) {
  const SyntheticShop shop = shop_of(small());
  const std::vector<ShopEvent> all = all_events(shop);
  for (size_t i = 0; i < all.size(); ++i) {
    const ShopEvent& e = all[i];
    ASSERT_TRUE(e.item >= 0 && e.item < 200);
    ASSERT_NE(e.value, 0);
    ASSERT_GE(e.cents, 39);
    ASSERT_GE(e.time, 1766966400 - 730 * 86400);
    ASSERT_LT(e.time, 1766966400);
    if (i == 0 || all[i - 1].customer != e.customer) continue;
    ASSERT_GE(e.time, all[i - 1].time);
    ASSERT_EQ(e.basket == all[i - 1].basket, e.basket - all[i - 1].basket != 1) << "baskets are numbered without gaps";
  }
}

TEST(SyntheticShop, GivesBackOnlyWhatWasBoughtBefore) {
  std::map<std::pair<CustomerIndex, ItemIndex>, int64_t> owned;
  int64_t returns = 0;
  for (const ShopEvent& e : all_events(shop_of(small()))) {
    int64_t& pieces = owned[{e.customer, e.item}];
    pieces += e.value;
    returns += e.value < 0;
    ASSERT_GE(pieces, 0);
  }
  EXPECT_GT(returns, 12000 * 0.01);
  EXPECT_LT(returns, 12000 * 0.03);
}

TEST(SyntheticShop, SellsMostlyWhatACustomerLikes) {
  const SyntheticShop shop = shop_of(small());
  int64_t liked = 0, seen = 0, dearest = 0;
  std::set<std::pair<CustomerIndex, ItemIndex>> pairs;
  for (const ShopEvent& e : all_events(shop)) {
    if (!pairs.insert({e.customer, e.item}).second) continue;
    const std::vector<int32_t> tastes = shop.tastes_of(e.customer);
    ++seen;
    liked += std::find(tastes.begin(), tastes.end(), shop.cluster_of(e.item)) != tastes.end();
    dearest += tastes[0] == shop.cluster_of(e.item);
  }
  // Three of ten clusters would hold 30 % by chance, one of them 10 %.
  EXPECT_GT(static_cast<double>(liked) / static_cast<double>(seen), 0.65);
  EXPECT_GT(static_cast<double>(dearest) / static_cast<double>(seen), 0.35);
}

TEST(SyntheticShop, ForgetsTasteWhenToldTo) {
  ShopSettings settings = small();
  settings.taste_share = 0;
  const SyntheticShop shop = shop_of(settings);
  int64_t liked = 0, seen = 0;
  for (const ShopEvent& e : all_events(shop)) {
    ++seen;
    liked += shop.tastes_of(e.customer)[0] == shop.cluster_of(e.item);
  }
  EXPECT_LT(static_cast<double>(liked) / static_cast<double>(seen), 0.2);
}

TEST(SyntheticShop, PutsCompanionsIntoOneBasket) {
  const SyntheticShop shop = shop_of(small());
  const std::vector<ShopEvent> all = all_events(shop);
  int64_t together = 0, with_another = 0;
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].basket != all[i - 1].basket || all[i].item == all[i - 1].item) continue;
    together += shop.companion_of(all[i - 1].item) == all[i].item;
    const ItemIndex other = (all[i - 1].item + 1) % 200;  // control: an item that is nobody's companion
    with_another += other == all[i].item;
  }
  EXPECT_GT(together, 5 * with_another);
}

TEST(SyntheticShop, HasAHeadAndATail) {
  std::vector<int64_t> sold(200), bought(300);
  for (const ShopEvent& e : all_events(shop_of(small()))) {
    ++sold[static_cast<size_t>(e.item)];
    ++bought[static_cast<size_t>(e.customer)];
  }
  std::sort(sold.rbegin(), sold.rend());
  std::sort(bought.rbegin(), bought.rend());
  EXPECT_GT(sold[9], 3 * sold[150]);
  EXPECT_GT(bought[0], 3 * bought[150]);
  EXPECT_EQ(bought.back(), 5) << "nobody has fewer than the least";
}

TEST(SyntheticShop, IsBusierOnSaturdayThanOnSunday) {
  std::map<int64_t, int64_t> by_day;  // 0: Thursday, the first day of 1970
  for (const ShopEvent& e : all_events(shop_of(small()))) ++by_day[e.time / 86400 % 7];
  EXPECT_GT(static_cast<double>(by_day[2]), 1.5 * static_cast<double>(by_day[3]));
}

TEST(SyntheticShop, DependsOnTheSeedAndOnNothingElse) {
  const auto key = [](const ShopSettings& settings) {
    std::vector<int64_t> all;
    for (const ShopEvent& e : all_events(shop_of(settings))) all.insert(all.end(), {e.customer, e.item, e.time, e.value, e.basket});
    return all;
  };
  ShopSettings other = small();
  other.seed = 2;
  EXPECT_EQ(key(small()), key(small()));
  EXPECT_NE(key(small()), key(other));
}

TEST(SyntheticShop, SellsEverythingToEverybodyWhenThereIsLittle) {
  const SyntheticShop shop = shop_of({.customers = 3, .items = 2, .events = 1000, .clusters = 1});
  EXPECT_EQ(shop_rows(shop).pair_count(), 6);
}

TEST(SyntheticShop, RefusesSettingsThatMakeNoSense) {
  const auto refused = [](auto change, const char* flag) {
    ShopSettings settings = small();
    change(settings);
    const absl::Status status = SyntheticShop::make(settings).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << flag;
    EXPECT_THAT(std::string(status.message()), HasSubstr(flag));
  };
  refused([](ShopSettings& s) { s.customers = 0; }, "--customers is 0");
  refused([](ShopSettings& s) { s.items = 1; }, "--items is 1");
  refused([](ShopSettings& s) { s.events = 299; }, "--events is 299");
  refused([](ShopSettings& s) { s.clusters = 201; }, "--clusters is 201");
  refused([](ShopSettings& s) { s.repeat_share = 1.5; }, "repeat share is 1.5");
  refused([](ShopSettings& s) { s.return_share = 0.5; }, "return share is 0.5");
  EXPECT_THAT(std::string(shop_preset("ml25m").status().message()), HasSubstr("ml20m"));
}

// The size that stands for MovieLens-20M: only what each customer has is computed here, not the events.
TEST(SyntheticShop, SharesOutTheEventsOfMl20mWithALongTail) {
  const SyntheticShop shop = shop_of(shop_preset("ml20m").value());
  std::vector<int64_t> events;
  int64_t total = 0, pairs = 0;
  for (CustomerIndex c = 0; c < 138493; ++c) {
    events.push_back(shop.events_of(c));
    total += events.back();
    pairs += std::llround(static_cast<double>(events.back()) * (1 - shop.settings().repeat_share));
  }
  std::sort(events.begin(), events.end());
  EXPECT_EQ(total, 20000263);
  EXPECT_NEAR(static_cast<double>(pairs), 18.1e6, 0.01e6);
  EXPECT_GE(events.front(), 20);
  EXPECT_NEAR(static_cast<double>(events[events.size() / 2]), 70, 10);
  EXPECT_GT(events.back(), 5000);
}

class ShopFilesTest : public testing::TestWithParam<std::pair<ShopFormat, ShopOrder>> {};

TEST_P(ShopFilesTest, AreReadBackWhole) {
  const TestFolder scratch;
  ShopSettings settings = small();
  settings.content_share = 0.1;
  const SyntheticShop shop = shop_of(settings);
  const auto written = write_shop(shop, scratch.path() + "/new/shop", GetParam().first, GetParam().second);
  ASSERT_TRUE(written.ok()) << written.status();
  ReadOptions options;
  options.event_files = {written->files[0]};
  options.item_files = {written->files[1]};
  const auto dataset = read_dataset(options);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->report.events, 12000);
  EXPECT_EQ(dataset->report.bad_rows, 0);
  EXPECT_EQ(dataset->report.returns, written->returns);
  EXPECT_EQ(dataset->customers.size(), 300);
  EXPECT_EQ(dataset->basket_count, written->baskets);
  EXPECT_EQ(shop_rows(shop).pair_count(), written->pairs);
  // Event by event: files in order of customer keep each customer's order, and a customer's times say the rest.
  std::multiset<std::tuple<std::string, std::string, int64_t, float>> got, wanted;
  for (int64_t e = 0; e < dataset->events.size(); ++e) {
    const auto at = static_cast<size_t>(e);
    got.emplace(dataset->customers.id(dataset->events.customers[at]), dataset->items.id(dataset->events.items[at]),
                dataset->events.times[at], dataset->events.values[at]);
  }
  for (const ShopEvent& e : all_events(shop))
    wanted.emplace(shop.customer_id(e.customer), shop.item_id(e.item), e.time * 1'000'000, static_cast<float>(e.value));
  EXPECT_EQ(got, wanted);
  const int32_t row = dataset->items.find(shop.item_id(7));
  ASSERT_NE(row, kNone);
  EXPECT_EQ(dataset->catalog.titles.at(row), shop.title(7));
  EXPECT_EQ(dataset->catalog.categories.at(row), shop.category(7));
  EXPECT_EQ(dataset->catalog.kind(row), shop.kind(7));
}

INSTANTIATE_TEST_SUITE_P(Formats, ShopFilesTest,
                         testing::Values(std::pair{ShopFormat::kCsv, ShopOrder::kCustomer}, std::pair{ShopFormat::kCsv, ShopOrder::kTime},
                                         std::pair{ShopFormat::kJsonl, ShopOrder::kCustomer}));

TEST(ShopFiles, StandInOrderOfTimeWhenAskedTo) {
  const TestFolder scratch;
  ASSERT_TRUE(write_shop(shop_of(small()), scratch.path(), ShopFormat::kCsv, ShopOrder::kTime).ok());
  std::istringstream lines(read_file(scratch.path() + "/events.csv"));
  std::string line, last;
  std::getline(lines, line);
  int64_t rows = 0;
  for (; std::getline(lines, line); ++rows) {
    const std::string time = line.substr(16, 19);
    ASSERT_LE(last, time) << line;
    last = time;
  }
  EXPECT_EQ(rows, 12000);
}

TEST(ShopFiles, AreTheSameBytesForTheSameSeed) {
  const TestFolder scratch;
  for (const char* folder : {"/a", "/b"})
    ASSERT_TRUE(write_shop(shop_of(small()), scratch.path() + folder, ShopFormat::kCsv, ShopOrder::kCustomer).ok());
  for (const char* file : {"/events.csv", "/items.csv", "/truth.csv"})
    EXPECT_EQ(read_file(scratch.path() + "/a" + file), read_file(scratch.path() + "/b" + file)) << file;
}

TEST(ShopFiles, SayWhichFolderCannotBeMade) {
  const TestFolder scratch;
  overwrite(scratch.path() + "/file", "");
  const auto written = write_shop(shop_of(small()), scratch.path() + "/file", ShopFormat::kCsv, ShopOrder::kCustomer);
  EXPECT_EQ(written.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(written.status().message()), HasSubstr("/file"));
}

}  // namespace
}  // namespace bouquet::training
