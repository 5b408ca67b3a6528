// Events of a store are read by the same rules as those of files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "tests/training/fake_source.h"
#include "training/erased_customers.h"
#include "training/event_reader.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1000000;

ReadOptions reading(std::vector<Given> events) {
  ReadOptions options;
  options.store = std::make_shared<FakeSource>(std::move(events));
  return options;
}

std::vector<std::string> told(const Dataset& data) {
  std::vector<std::string> out;
  for (size_t e = 0; e < data.events.customers.size(); ++e)
    out.push_back(std::string(data.customers.id(data.events.customers[e])) + " " + std::string(data.items.id(data.events.items[e])) + " " +
                  data.rules.types[data.events.types[e]].name + " " + std::to_string(data.events.times[e] / kSecond) + " " +
                  std::to_string(static_cast<int>(data.events.values[e])));
  return out;
}

TEST(SourceRows, AreReadInOrderWithBasketsAndWhatIsKnownOfTheStore) {
  const auto data = read_dataset(reading({{.customer = "ann", .item = "tea", .basket = "b1", .time = 7 * kSecond, .value = 2},
                                          {.customer = "ann", .item = "jam", .basket = "b1", .time = 7 * kSecond},
                                          {.customer = "bob", .item = "tea", .type = "view", .time = 3 * kSecond}}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(told(*data), ElementsAre("ann tea purchase 7 2", "ann jam purchase 7 1", "bob tea view 3 1"));
  EXPECT_EQ(data->basket_count, 1);
  EXPECT_THAT(data->events.baskets, ElementsAre(0, 0, kNone));
  EXPECT_THAT(data->sources, ElementsAre("store"));
  EXPECT_EQ(data->store.identity, "feed");
  EXPECT_EQ(data->store.sequence, 3u);
}

TEST(SourceRows, OfTypesThatAreNotRegisteredAreCountedAndLeftOut) {
  auto options = reading({{.customer = "ann", .item = "tea"},
                          {.customer = "ann", .item = "jam", .type = "gift"},
                          {.customer = "ann", .item = "oil"},
                          {.customer = "eve", .item = "oil"}});
  options.drop_customers = {"eve"};
  const auto data = read_dataset(options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->report.unknown_types, 1);
  EXPECT_EQ(data->report.dropped_customers, 1);
  EXPECT_EQ(data->report.rows, 4);
  EXPECT_EQ(data->events.size(), 2);
}

TEST(SourceRows, StandBesideThoseOfFiles) {
  const std::string file = ::testing::TempDir() + "/beside_the_store.csv";
  std::ofstream(file) << "customer_id,item_id,time\nann,oil,1970-01-01T00:00:05Z\ncarl,tea,1970-01-01T00:00:01Z\n";
  std::vector<Given> many;  // more than a batch
  for (int i = 0; i < 10000; ++i) many.push_back({.customer = "ann", .item = "item" + std::to_string(i % 7), .time = (10 + i) * kSecond});
  auto options = reading(many);
  options.event_files = {file};
  const auto data = read_dataset(options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->events.size(), 10002);
  EXPECT_EQ(data->customers.size(), 2);
  EXPECT_EQ(told(*data)[0], "ann oil purchase 5 1");
  EXPECT_EQ(told(*data)[10000], "ann item3 purchase 10009 1");
  EXPECT_THAT(data->sources, ElementsAre("beside_the_store.csv", "store"));
}

TEST(SourceRows, OfErasedCustomersAreLeftOutUpToTheErasureAlsoThoseOfFiles) {
  const std::string file = ::testing::TempDir() + "/beside_an_erasure.csv";
  std::ofstream(file) << "customer_id,item_id,time,basket_id\neve,oil,1970-01-01T00:00:01Z,b1\nann,oil,1970-01-01T00:00:05Z,b2\n"
                         "ann,tea,1970-01-01T00:00:06Z,b3\ncarl,tea,1970-01-01T00:00:01Z,b4\n";
  auto source = std::make_shared<FakeSource>(std::vector<Given>{{.customer = "ann", .item = "jam", .time = 9 * kSecond}});
  source->erased = {{"ann", {.sequence = 1, .time = 5 * kSecond}}, {"eve", {.sequence = 2, .time = 7 * kSecond}}};
  ReadOptions options;
  options.store = source;
  options.event_files = {file};
  const auto data = read_dataset(options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(told(*data), ElementsAre("ann tea purchase 6 1", "ann jam purchase 9 1", "carl tea purchase 1 1"));
  EXPECT_EQ(data->customers.size(), 2);
  EXPECT_EQ(data->customers.find("eve"), kNone);
  EXPECT_EQ(data->events.baskets.size(), 3u);
  EXPECT_EQ(data->report.erased, 2);
  EXPECT_EQ(data->report.events, 3);
  source->erased.clear();
  EXPECT_EQ(read_dataset(options)->report.events, 5);
}

TEST(SourceRows, OfMergedCustomersAreThoseOfOneAlsoThoseOfFiles) {
  const std::string file = ::testing::TempDir() + "/beside_a_merge.csv";
  std::ofstream(file) << "customer_id,item_id,time,basket_id\nvisitor,oil,1970-01-01T00:00:01Z,b1\nann,oil,1970-01-01T00:00:05Z,b1\n"
                         "eve,tea,1970-01-01T00:00:06Z,b3\ncarl,tea,1970-01-01T00:00:01Z,b4\ncarl,rye,1970-01-01T00:00:00Z,b4\n";
  auto source = std::make_shared<FakeSource>(std::vector<Given>{{.customer = "ann", .item = "oil", .time = 9 * kSecond},
                                                                {.customer = "visitor", .item = "jam", .time = 9 * kSecond},
                                                                {.customer = "eve", .item = "jam", .time = 2 * kSecond}});
  ReadOptions options;
  options.store = source;
  options.event_files = {file};
  EXPECT_EQ(read_dataset(options)->customers.size(), 4);
  source->roots = {{"visitor", "ann"}, {"eve", "root without events"}};
  source->erased = {{"visitor", {.sequence = 1, .time = kSecond}}};
  const auto data = read_dataset(options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(told(*data),
              ElementsAre("ann oil purchase 5 1", "ann jam purchase 9 1", "ann oil purchase 9 1", "carl rye purchase 0 1",
                          "carl tea purchase 1 1", "root without events jam purchase 2 1", "root without events tea purchase 6 1"));
  EXPECT_EQ(data->customers.size(), 3);
  EXPECT_EQ(data->events.baskets[3], data->events.baskets[4]);
  EXPECT_EQ(data->report.erased, 1) << "what an id did before it was erased is nobody's";
}

TEST(ErasedSinceTheReading, HaveEmptyRowsInWhatIsPublished) {
  FakeSource source({});
  source.erased = {{"ann", {.sequence = 4, .time = 0}}, {"bob", {.sequence = 5, .time = 0}}};
  IdMap ids;
  for (const char* id : {"ann", "bob", "carl"}) ids.add(id);
  Artifact artifact;
  artifact.customer_ids = std::move(ids).freeze();
  artifact.model.dimension = 1;
  artifact.model.profiles = std::vector<float>{1, 2, 3};
  EXPECT_EQ(*empty_rows_erased_since(source, 5, artifact), 0);
  EXPECT_EQ(artifact.customer_ids.find("bob"), 1);
  EXPECT_EQ(*empty_rows_erased_since(source, 4, artifact), 1);
  EXPECT_EQ(artifact.customer_ids.find("ann"), 0) << "erased before the reading: the row is of the next life";
  EXPECT_EQ(artifact.customer_ids.find("bob"), kNone);
  EXPECT_THAT(artifact.model.profiles.view(), ElementsAre(1, 0, 3));
  // Of a person whom somebody was taken out of: the row is of both.
  source.taken_apart = {"carl", "nobody whom the model has"};
  EXPECT_EQ(*empty_rows_erased_since(source, 4, artifact), 1);
  EXPECT_THAT(artifact.model.profiles.view(), ElementsAre(1, 0, 0));
}

TEST(SourceRows, WhatCannotBeIsRefused) {
  const std::string file = ::testing::TempDir() + "/without_times.csv";
  std::ofstream(file) << "customer_id,item_id\nann,oil\n";
  auto options = reading({{.customer = "ann", .item = "tea"}});
  options.event_files = {file};
  EXPECT_THAT(std::string(message_of(read_dataset(options).status())),
              HasSubstr("there is no time column, but the events of --store have times"));
  options = reading({{.customer = "ann", .item = "tea"}});
  options.where = {"color = red"};
  EXPECT_THAT(std::string(message_of(read_dataset(options).status())), HasSubstr("--where asks for columns of files"));
  EXPECT_THAT(std::string(message_of(read_dataset(reading({})).status())), HasSubstr("--store: there is no event"));
  EXPECT_THAT(std::string(message_of(read_dataset(reading({{.customer = "ann", .item = "tea"}})).status())),
              HasSubstr("--store: 1 item is left; at least two are needed"));
}

}  // namespace
}  // namespace bouquet::training
