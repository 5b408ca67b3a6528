#include "engine/nearest_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bouquet {
namespace {

TEST(EditDistance, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(edit_distance("threads", "threads"), 0u);
  EXPECT_EQ(edit_distance("thread", "threads"), 1u);
  EXPECT_EQ(edit_distance("threeads", "threads"), 1u);
  EXPECT_EQ(edit_distance("treads", "threads"), 1u);
  EXPECT_EQ(edit_distance("tharads", "threads"), 2u);
  EXPECT_EQ(edit_distance("htreads", "threads"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
}

TEST(DidYouMean, NamesTheNearest) {
  const std::vector<std::string> known = {"threads", "epochs", "seed"};
  EXPECT_EQ(did_you_mean("thread", known), "; did you mean 'threads'?");
  EXPECT_EQ(did_you_mean("sede", known), "; did you mean 'seed'?");
}

TEST(DidYouMean, ListsAllWhenNoneIsNear) {
  const std::vector<std::string> known = {"threads", "epochs", "seed"};
  EXPECT_EQ(did_you_mean("dimension", known), "; known are: epochs, seed, threads");
  EXPECT_EQ(did_you_mean("dimension", {}), "");
}

TEST(DidYouMean, OfManyListsSomeAndLongNamesAreNotCompared) {
  std::vector<std::string> known;
  for (int i = 0; i < 5000; ++i) known.push_back("attribute" + std::to_string(10000 + i));
  EXPECT_EQ(did_you_mean("zzz", known).substr(0, 46), "; known are: attribute10000, attribute10001, a");
  EXPECT_TRUE(did_you_mean("zzz", known).ends_with(", attribute10019 and 4980 more"));
  const std::string longest(1 << 20, 'x');  // of which the distances alone would take minutes
  EXPECT_TRUE(did_you_mean(longest, known).ends_with(" and 4980 more"));
  known.push_back(longest);
  EXPECT_LT(did_you_mean("zzz", std::vector<std::string>{longest}).size(), 200u);
}

TEST(NearestName, IgnoresCaseAndTakesTheFirstOfEquals) {
  const std::vector<std::string> known = {"customer_id", "item_id", "Customer ID"};
  EXPECT_EQ(nearest_name("CUSTOMER ID", known), "Customer ID");
  EXPECT_EQ(nearest_name("itemid", known), "item_id");
  EXPECT_EQ(nearest_name("", std::vector<std::string>{"b", "a"}), "b");
  EXPECT_EQ(nearest_name("anything", {}), "");
}

}  // namespace
}  // namespace bouquet
