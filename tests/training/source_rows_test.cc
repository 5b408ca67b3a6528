// Events of a store are read by the same rules as those of files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "training/event_reader.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1000000;

struct Given {
  std::string customer, item, type = "purchase", basket = {};
  int64_t time = 0;
  float value = 1;
};

class FakeSource : public EventSource {
 public:
  explicit FakeSource(std::vector<Given> events) : events_(std::move(events)) {}
  absl::Status read(const std::function<absl::Status(const SourceEvent&)>& take) override {
    for (const Given& e : events_)
      if (absl::Status s = take({e.customer, e.item, e.type, e.basket, e.time, e.value}); !s.ok()) return s;
    return absl::OkStatus();
  }
  std::string identity() const override { return "feed"; }
  uint64_t newest_sequence() const override { return events_.size(); }

 private:
  std::vector<Given> events_;
};

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
  std::ofstream(file) << "customer_id,item_id,timestamp\nann,oil,1970-01-01T00:00:05Z\ncarl,tea,1970-01-01T00:00:01Z\n";
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
