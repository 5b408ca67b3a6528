// An event store in a folder of its own, with a clock that the test sets, and calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/event_store/event_store.h"
#include "server/event_store/store_figures.h"
#include "tests/server/temporary_folder.h"

namespace bouquet::server {

inline constexpr int64_t kSecond = 1'000'000;
inline constexpr int64_t kDay = 24 * 3600 * kSecond;

// An event with texts of its own, as short to write as it can be.
struct SaidEvent {
  std::string customer, item, event_id = {};
  std::optional<int64_t> time = std::nullopt;
  std::string type = "purchase";
  float value = 1;
  std::string basket = {};
  std::optional<double> price = std::nullopt;
  std::string recommendation_id = {};
  std::string placement = {};

  NewEvent view() const {
    return {.customer_id = customer,
            .item_id = item,
            .type = type,
            .time = time,
            .value = value,
            .event_id = event_id,
            .basket_id = basket,
            .price = price,
            .recommendation_id = recommendation_id,
            .placement = placement};
  }
};

class SmallStore {
 public:
  SmallStore() { open(); }

  void open() {
    database_options.clock = [this] { return absl::FromUnixMicros(now.load()); };
    auto opened = StoreDatabase::open(folder(), database_options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    database = *std::move(opened);
    options.clock = database_options.clock;
    auto events = EventStore::open(*database, options);
    ASSERT_TRUE(events.ok()) << events.status();
    store = *std::move(events);
  }
  void close() {
    store.reset();
    database.reset();
  }
  void reopen() {
    close();
    open();
  }
  StoreFigures figures() const {
    const auto figures = read_figures(*database);
    EXPECT_TRUE(figures.ok()) << figures.status();
    return figures.ok() ? *figures : StoreFigures();
  }
  std::string folder() const { return (elsewhere.empty() ? place.path() : elsewhere) + "/store"; }

  std::vector<Outcome> append(const std::vector<SaidEvent>& said) {
    std::vector<NewEvent> events;
    for (const SaidEvent& one : said) events.push_back(one.view());
    return answered([&](Append::Done done) { return store->append(events, std::move(done)); });
  }
  Outcome append_one(const SaidEvent& said) { return append(std::vector{said}).at(0); }
  // Repeats the event until it is taken, for 20 s at most. How long that took.
  std::chrono::milliseconds append_until_taken(const SaidEvent& said) {
    const auto begin = std::chrono::steady_clock::now();
    while (!append_one(said).status.ok() && std::chrono::steady_clock::now() - begin < std::chrono::seconds(20))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  }
  Outcome set_attributes(const std::string& customer, const std::map<std::string, std::string>& texts, const std::string& request_id = {}) {
    google::protobuf::Map<std::string, v1::AttributeValue> values;
    for (const auto& [name, text] : texts) text.empty() ? values[name].Clear() : values[name].set_text(text);
    return set_values(customer, values, request_id);
  }
  Outcome set_values(const std::string& customer, const google::protobuf::Map<std::string, v1::AttributeValue>& values,
                     const std::string& request_id = {}) {
    const NewAttributes attributes{.customer_id = customer, .request_id = request_id, .values = &values};
    return answered([&](Append::Done done) { return store->set_attributes(attributes, std::move(done)); }).at(0);
  }

  // Of an answer that is made now, unless another time is said.
  Outcome keep_answer(const std::string& customer, uint64_t number, const std::string& inputs, int64_t for_microseconds = kDay,
                      std::optional<int64_t> time = std::nullopt) {
    LoggedAnswer logged;
    logged.mutable_name()->set_time(time.value_or(now));
    logged.mutable_name()->set_log(number);
    logged.set_inputs(inputs);
    const std::string bytes = logged.SerializeAsString();
    const NewAnswer answer{.customer_id = customer,
                           .number = number,
                           .time = logged.name().time(),
                           .keep_until = logged.name().time() + for_microseconds,
                           .logged = bytes};
    return answered([&](Append::Done done) { return store->keep_answers({&answer, 1}, std::move(done)); }).at(0);
  }

  Outcome erase(const std::string& customer, const std::string& request_id = {}) {
    return answered([&](Append::Done done) {
             return store->erase_customer({.customer_id = customer, .request_id = request_id}, std::move(done));
           })
        .at(0);
  }

  Outcome merge(const std::string& from, const std::string& into, const std::string& request_id = {}) {
    const NewMerge merge{.from_customer_id = from, .into_customer_id = into, .request_id = request_id};
    return answered([&](Append::Done done) { return store->merge_customers(merge, std::move(done)); }).at(0);
  }
  Outcome unmerge(const std::string& from, const std::string& request_id = {}) {
    const NewUnmerge unmerge{.from_customer_id = from, .request_id = request_id};
    return answered([&](Append::Done done) { return store->unmerge_customers(unmerge, std::move(done)); }).at(0);
  }

  CustomerNumber customer(const std::string& id) const {
    const auto number = store->find_customer(id);
    EXPECT_TRUE(number.ok()) << number.status();
    return number.ok() ? number->value_or(0) : 0;
  }
  std::vector<StoredEvent> events_of(const std::string& id, const EventRange& range = {}) const {
    std::vector<StoredEvent> events;
    const absl::Status read = store->events().events_of(customer(id), range, events);
    EXPECT_TRUE(read.ok()) << read;
    return events;
  }
  // "item type value time" of each.
  std::vector<std::string> told(const std::string& id, const EventRange& range = {}) const {
    std::vector<std::string> out;
    for (const StoredEvent& e : events_of(id, range))
      out.push_back(store->item_ids().name(e.item) + " " + store->event_types().name(e.type) + " " +
                    std::to_string(static_cast<int>(e.value)) + " " + std::to_string(e.time));
    return out;
  }

  TemporaryFolder place;
  std::string elsewhere;  // where the store is to be instead; empty: in `place`
  std::atomic<int64_t> now{1'700'000'000 * kSecond};
  StoreDatabaseOptions database_options;
  EventStoreOptions options;
  std::unique_ptr<StoreDatabase> database;
  std::unique_ptr<EventStore> store;

 private:
  template <typename Call>
  static std::vector<Outcome> answered(const Call& call) {
    std::promise<std::vector<Outcome>> answer;
    const absl::Status taken =
        call([&](std::span<const Outcome> outcomes) { answer.set_value(std::vector<Outcome>(outcomes.begin(), outcomes.end())); });
    EXPECT_TRUE(taken.ok()) << taken;
    return taken.ok() ? answer.get_future().get() : std::vector<Outcome>(1, Outcome{taken, 0, false});
  }
};

}  // namespace bouquet::server
