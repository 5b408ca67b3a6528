// What a training reads of a store whose customers were merged is what it would read had they been one from the start.
#include "cli/store_events.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/event_store/small_store.h"
#include "training/event_reader.h"

namespace bouquet::cli {
namespace {

using server::kSecond;
using server::SmallStore;
using testing::ElementsAre;
using testing::IsEmpty;

training::Dataset read(const SmallStore& store) {
  training::ReadOptions options;
  auto source = open_store_events(store.folder());
  EXPECT_TRUE(source.ok()) << source.status();
  options.store = *std::move(source);
  auto data = training::read_dataset(options);
  EXPECT_TRUE(data.ok()) << data.status();
  return *std::move(data);
}

std::vector<std::string> told(const training::Dataset& data) {
  std::vector<std::string> out;
  for (size_t e = 0; e < data.events.customers.size(); ++e)
    out.push_back(std::string(data.customers.id(data.events.customers[e])) + " " + std::string(data.items.id(data.events.items[e])) + " " +
                  std::to_string(data.events.times[e] / kSecond) + " " + std::to_string(static_cast<int>(data.events.values[e])));
  return out;
}

// The same events, all of a person's under one id if `merged`.
void fill(SmallStore& store, bool merged) {
  const auto id = [&](const std::string& own) { return merged && own != "bob" ? std::string("ann") : own; };
  for (int i = 0; i < 40; ++i)
    for (const std::string own : {"visitor", "ann", "bob", "tablet"})
      store.append_one({.customer = id(own),
                        .item = "item" + std::to_string((i * 7 + static_cast<int>(own.size())) % 11),
                        .time = (100 + i * 13 % 17) * kSecond,
                        .value = static_cast<float>(1 + i % 3)});
}

TEST(StoreEvents, OfMergedCustomersAreThoseOfOne) {
  SmallStore apart, together;
  fill(apart, false);
  fill(together, true);
  EXPECT_EQ(read(apart).customers.size(), 4);
  EXPECT_NE(told(read(apart)), told(read(together)));
  apart.merge("tablet", "visitor");
  apart.merge("visitor", "ann");
  auto got = told(read(apart)), expected = told(read(together));
  std::ranges::sort(got);  // customers are numbered as they are first met
  std::ranges::sort(expected);
  EXPECT_EQ(got, expected);
  const training::Dataset data = read(apart);
  EXPECT_EQ(data.customers.size(), 2);
  for (size_t e = 1; e < data.events.times.size(); ++e) {
    if (data.events.customers[e] == data.events.customers[e - 1]) {
      EXPECT_LE(data.events.times[e - 1], data.events.times[e]);
    }
  }
  EXPECT_EQ(data.store.sequence, 162u);
  apart.unmerge("visitor");
  EXPECT_EQ(read(apart).customers.size(), 3);
  const auto source = open_store_events(apart.folder());
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->root_of("tablet"), "visitor");
  EXPECT_THAT(*(*source)->taken_apart_since(162), ElementsAre("ann")) << "the row of whom a model that was trained then has both in";
  EXPECT_THAT(*(*source)->taken_apart_since(163), IsEmpty());
}

}  // namespace
}  // namespace bouquet::cli
