// R17: the same history is read back the same way, whatever the order of arrival and however often its events came.
#include <random>

#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

// What does not depend on arrival.
std::string content(const SmallStore& small, const StoredEvent& e) {
  return std::to_string(e.time) + " " + small.store->item_ids().name(e.item) + " " + small.store->event_types().name(e.type) + " " +
         std::to_string(e.value) + " " + e.details.basket_id + " " + std::to_string(e.details.price.value_or(-1));
}

// Many ties: of time, of item, of all but the basket.
std::vector<SaidEvent> history(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::vector<SaidEvent> events;
  for (int i = 0; i < 60; ++i)
    events.push_back({.customer = "ann",
                      .item = "i" + std::to_string(below(4)),
                      .event_id = "e" + std::to_string(i),
                      .time = below(5),
                      .type = below(2) == 0 ? "purchase" : "view",
                      .value = static_cast<float>(1 + below(2)),
                      .basket = below(2) == 0 ? "" : "b" + std::to_string(below(3)),
                      .price = below(3) == 0 ? std::nullopt : std::optional<double>(below(2))});
  return events;
}

std::vector<std::string> read_back(std::vector<SaidEvent> events, std::mt19937& random, bool with_ids, uint64_t* stored_by_arrival) {
  SmallStore small;
  const size_t distinct = events.size();
  for (size_t i = 0; i < distinct; ++i)
    if (random() % 3 == 0) events.push_back(events[i]);
  std::shuffle(events.begin(), events.end(), random);
  if (!with_ids)
    for (SaidEvent& event : events) event.event_id.clear();
  for (size_t begin = 0; begin < events.size();) {
    const size_t end = std::min<size_t>(events.size(), begin + 1 + random() % 9);
    small.append(std::vector<SaidEvent>(events.begin() + static_cast<int64_t>(begin), events.begin() + static_cast<int64_t>(end)));
    begin = end;
  }
  std::vector<std::string> out;
  bool sorted_by_arrival = true;
  const auto read = small.events_of("ann");
  for (size_t i = 0; i < read.size(); ++i) {
    out.push_back(content(small, read[i]));
    if (i > 0 && read[i].time == read[i - 1].time && read[i].sequence < read[i - 1].sequence) sorted_by_arrival = false;
  }
  *stored_by_arrival += sorted_by_arrival;
  return out;
}

TEST(EventOrder, DoesNotDependOnArrivalNorOnDuplicates) {
  std::mt19937 random(17);
  const std::vector<SaidEvent> events = history(random);
  uint64_t by_arrival = 0;
  const auto first = read_back(events, random, true, &by_arrival);
  ASSERT_EQ(first.size(), events.size());
  for (int round = 0; round < 8; ++round) EXPECT_EQ(read_back(events, random, true, &by_arrival), first) << round;
  // The control: by arrival the ties would have stood otherwise.
  EXPECT_EQ(by_arrival, 0u);
}

TEST(EventOrder, WithoutEventIdsDuplicatesCount) {
  std::mt19937 random(17);
  const std::vector<SaidEvent> events = history(random);
  uint64_t by_arrival = 0;
  EXPECT_GT(read_back(events, random, false, &by_arrival).size(), events.size());
}

}  // namespace
}  // namespace bouquet::server
