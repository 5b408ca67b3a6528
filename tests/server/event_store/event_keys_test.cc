// Bytes of keys and values: they sort as their numbers do, and come back as they were.
#include "server/event_store/event_keys.h"

#include "server/event_store/event_id_entry.h"

namespace bouquet::server {
namespace {

TEST(EventKey, SortsByCustomerThenTimeThenSequence) {
  constexpr int64_t kTimes[] = {std::numeric_limits<int64_t>::min(), -1'000'000, -1, 0, 1, 255, 256, std::numeric_limits<int64_t>::max()};
  std::string previous;
  for (const uint64_t customer : {uint64_t{0}, uint64_t{1}, uint64_t{256}, ~uint64_t{0}})
    for (const int64_t time : kTimes)
      for (const uint64_t sequence : {uint64_t{1}, uint64_t{300}, ~uint64_t{0}}) {
        const std::string key = event_key(customer, time, sequence);
        ASSERT_EQ(key.size(), kEventKeyBytes);
        EXPECT_LT(previous, key);
        EXPECT_EQ(customer_of_key(key), customer);
        EXPECT_EQ(time_of_key(key), time);
        EXPECT_EQ(sequence_of_key(key), sequence);
        previous = key;
      }
}

TEST(EventValue, ComesBackAsItWasAndAPlainOneIsShort) {
  StoredEvent plain;
  plain.item = 20'000;
  std::string bytes;
  append_event_value(plain, bytes);
  EXPECT_EQ(bytes.size(), 5u);
  StoredEvent full = plain;
  full.item = std::numeric_limits<int32_t>::max();
  full.type = 3;
  full.value = -.25f;
  full.details = {std::string(128, 'b'), -3.5, std::string(1024, 'r'), "home"};
  std::string full_bytes;
  append_event_value(full, full_bytes);
  StoredEvent back;
  ASSERT_TRUE(parse_event_value(full_bytes, back));
  EXPECT_EQ(back.item, full.item);
  EXPECT_EQ(back.type, full.type);
  EXPECT_EQ(back.value, full.value);
  EXPECT_EQ(back.details, full.details);
  ASSERT_TRUE(parse_event_value(bytes, back));  // nothing stays from the one before
  EXPECT_EQ(back.value, 1);
  EXPECT_EQ(back.details, EventDetails());
}

TEST(EventValue, DamageIsNoticed) {
  StoredEvent event;
  event.value = 2;
  event.details = {"basket", 1.5, "recommendation", "home"};
  std::string bytes;
  append_event_value(event, bytes);
  StoredEvent back;
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_event_value(bytes.substr(0, size), back)) << size;
  EXPECT_FALSE(parse_event_value(bytes + "x", back));
  bytes[0] = '\xff';
  EXPECT_FALSE(parse_event_value(bytes, back));
}

TEST(EventIdEntry, ComesBackAsItWas) {
  std::string bytes;
  append_event_id_entry({.content = 0x0123456789abcdef, .arrived = 4'000'000'000, .sequence = 1'000'000'000'000}, bytes);
  const auto back = parse_event_id_entry(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->content, 0x0123456789abcdefu);
  EXPECT_EQ(back->arrived, 4'000'000'000u);
  EXPECT_EQ(back->sequence, 1'000'000'000'000u);
  EXPECT_FALSE(parse_event_id_entry(bytes.substr(0, bytes.size() - 1)));
  EXPECT_NE(hash_of_event_id("a"), hash_of_request_id("a"));
}

}  // namespace
}  // namespace bouquet::server
