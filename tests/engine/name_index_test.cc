#include "engine/name_index.h"

#include <gtest/gtest.h>

#include "engine/views.h"

namespace bouquet {
namespace {

TEST(NameIndex, GivesPositionsInTheOrderOfAdding) {
  NameIndex table;
  EXPECT_EQ(table.find("age"), kNone);
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(table.add("attribute_" + std::to_string(100000 + i)));
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(table.find("attribute_" + std::to_string(100000 + i)), i);
  EXPECT_EQ(table.find("attribute_105000"), kNone);
}

TEST(NameIndex, TakesANameOnce) {
  NameIndex table;
  EXPECT_TRUE(table.add("age"));
  EXPECT_TRUE(table.add("Age"));
  EXPECT_FALSE(table.add("age"));
  EXPECT_TRUE(table.add("country"));
  EXPECT_EQ(table.find("age"), 0);
  EXPECT_EQ(table.find("Age"), 1);
  EXPECT_EQ(table.find("country"), 2);
}

// Every length by which bytes are read in another way, and every byte: what differs in one is another name.
TEST(NameIndex, LooksAtEveryByte) {
  for (size_t size = 0; size <= 70; ++size) {
    NameIndex table;
    const std::string name(size, 'a');
    EXPECT_TRUE(table.add(name));
    for (size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = 'b';
      EXPECT_EQ(table.find(other), kNone) << size << " " << at;
      EXPECT_TRUE(table.add(other)) << size << " " << at;
    }
    EXPECT_EQ(table.find(name + "a"), kNone);
    EXPECT_EQ(table.find(name), 0);
    for (size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = 'b';
      EXPECT_EQ(table.find(other), static_cast<int32_t>(at) + 1);
    }
  }
}

}  // namespace
}  // namespace bouquet
