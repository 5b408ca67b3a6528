#include "engine/id_map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace bouquet {
namespace {

TEST(IdMap, GivesIndicesInOrderOfFirstSight) {
  IdMap map;
  EXPECT_EQ(map.add("b"), 0);
  EXPECT_EQ(map.add("a"), 1);
  EXPECT_EQ(map.add("b"), 0);
  EXPECT_EQ(map.size(), 2);
  EXPECT_EQ(map.id(1), "a");
  EXPECT_EQ(map.find("c"), kNone);
}

TEST(IdMap, FindsNothingWhenEmpty) {
  EXPECT_EQ(IdMap().find("a"), kNone);
  EXPECT_EQ(IdTable().find("a"), kNone);
  EXPECT_EQ(IdMap().freeze().find("a"), kNone);
}

RC_GTEST_PROP(IdMap, BehavesLikeAStdMap, ()) {
  const auto ids = *rc::gen::container<std::vector<std::string>>(
      rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'e')))));
  IdMap map;
  std::map<std::string, int32_t> expected;
  for (const std::string& id : ids) {
    const auto [at, fresh] = expected.emplace(id, static_cast<int32_t>(expected.size()));
    RC_ASSERT(map.add(id) == at->second);
  }
  RC_ASSERT(map.size() == static_cast<int32_t>(expected.size()));
  const IdTable table = std::move(map).freeze();
  for (const auto& [id, index] : expected) {
    RC_ASSERT(table.find(id) == index);
    RC_ASSERT(table.id(index) == id);
  }
  RC_ASSERT(table.find("never added") == kNone);
}

TEST(IdTable, ComesBackFromItsParts) {
  IdMap map;
  for (int i = 0; i < 1000; ++i) map.add("customer " + std::to_string(i));
  const IdTable table = std::move(map).freeze();
  const auto again = IdTable::from_parts(table.bytes(), table.offsets(), table.slots());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->find("customer 17"), 17);
}

TEST(IdTable, RefusesEveryDamagedPart) {
  IdMap map;
  for (const char* id : {"one", "two", "three"}) map.add(id);
  const IdTable table = std::move(map).freeze();
  const std::vector<uint64_t> offsets(table.offsets().begin(), table.offsets().end());
  const std::vector<uint64_t> slots(table.slots().begin(), table.slots().end());
  const std::vector<char> bytes(table.bytes().begin(), table.bytes().end());
  for (size_t at = 0; at < offsets.size(); ++at)
    for (const uint64_t value : {uint64_t{0}, offsets[at] + 1, offsets[at] + 1000, ~uint64_t{0}}) {
      if (value == offsets[at]) continue;
      auto damaged = offsets;
      damaged[at] = value;
      EXPECT_FALSE(IdTable::from_parts(bytes, damaged, slots).ok()) << at << " " << value;
    }
  for (size_t at = 0; at < slots.size(); ++at) {
    auto damaged = slots;
    damaged[at] ^= 1;
    EXPECT_FALSE(IdTable::from_parts(bytes, offsets, damaged).ok()) << at;
  }
  auto other = bytes;
  other[0] = 'x';
  EXPECT_FALSE(IdTable::from_parts(other, offsets, slots).ok());
}

}  // namespace
}  // namespace bouquet
