#include "server/filter_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace bouquet::server {
namespace {

FilterCache::Bitmap bitmap(uint64_t word) { return std::make_shared<const std::vector<uint64_t>>(1, word); }

TEST(FilterCache, KeepsWhatWasUsedLast) {
  FilterCache cache(2);
  cache.add("a", bitmap(1));
  cache.add("b", bitmap(2));
  ASSERT_NE(cache.find("a"), nullptr);  // now b is the older one
  cache.add("c", bitmap(3));
  EXPECT_EQ(cache.find("b"), nullptr);
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ((*cache.find("a"))[0], 1u);
  EXPECT_EQ((*cache.find("c"))[0], 3u);
}

TEST(FilterCache, KeepsTheFirstBitmapOfAKeyAndWhatWasFoundOutlivesIt) {
  FilterCache cache(1);
  cache.add("a", bitmap(1));
  cache.add("a", bitmap(9));
  const FilterCache::Bitmap found = cache.find("a");
  cache.add("b", bitmap(2));
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ((*found)[0], 1u);
}

TEST(FilterCache, IsForManyThreads) {
  FilterCache cache(3);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&cache, t] {
      for (uint64_t i = 0; i < 2000; ++i) {
        const uint64_t key = (i * (t + 1)) % 7;
        const auto found = cache.find(std::to_string(key));
        if (found == nullptr)
          cache.add(std::to_string(key), bitmap(key));
        else
          EXPECT_EQ((*found)[0], key);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace bouquet::server
