#include "engine/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bouquet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view text) {
  WordSplitter splitter;
  const auto found = splitter.split(text);
  return {found.begin(), found.end()};
}

TEST(Words, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_THAT(words("Green TEA, 20-pack (new)!"), ElementsAre("green", "tea", "20", "pack", "new"));
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words(" .,\n"), IsEmpty());
}

TEST(Words, LowerTheScriptsThatHaveCapitals) {
  EXPECT_THAT(words("ÄPFEL Été ŁÓDŹ Čaj ΑΘΉΝΑ ЁЖИК Ünïcødé"), ElementsAre("äpfel", "été", "łódź", "čaj", "αθήνα", "ёжик", "ünïcødé"));
  EXPECT_THAT(words("x × y ÷ 2 straße"), ElementsAre("x", "y", "2", "straße"));
}

TEST(Words, OfHanAndKanaAreCharacters) {
  EXPECT_THAT(words("緑茶、お茶 한국어 tea"), ElementsAre("緑", "茶", "お", "茶", "한국어", "tea"));
}

TEST(Words, BytesThatAreNoUtf8PartThem) {
  EXPECT_THAT(words("a\xff"
                    "b\xc3"),
              ElementsAre("a", "b"));
  EXPECT_THAT(words("a\xe2\x82"
                    "c\x80"),
              ElementsAre("a", "c"));
}

TEST(HashedWords, CountWordsAndNeighboursOnceForEachBucket) {
  HashedWords hashed;
  const auto entries = hashed.count("tea tea pot", 17);
  float total = 0;
  for (size_t e = 0; e < entries.size(); ++e) {
    total += entries[e].count;
    if (e > 0) {
      EXPECT_LT(entries[e - 1].bucket, entries[e].bucket);
    }
    if (entries[e].bucket == word_bucket("tea", 17)) {
      EXPECT_EQ(entries[e].count, 2);
    }
  }
  EXPECT_EQ(total, 5);  // 3 words, 2 pairs
}

// Changing the hash would change what every stored model means.
TEST(HashedWords, BucketsAreFrozen) {
  EXPECT_EQ(word_bucket("tea", 17), 95223);
  EXPECT_EQ(pair_bucket("green", "tea", 17), 33002);
  EXPECT_NE(pair_bucket("green", "tea", 17), pair_bucket("tea", "green", 17));
}

}  // namespace
}  // namespace bouquet
