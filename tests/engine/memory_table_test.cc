#include "engine/memory_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

TEST(MemoryTable, AddsUpByPurpose) {
  MemoryTable table;
  table.add("factors", 1000);
  table.add("pairs", 20);
  table.add("factors", 500);
  table.add("nothing", 0);
  ASSERT_EQ(table.lines().size(), 2u);
  EXPECT_EQ(table.lines()[0].bytes, 1500);
  EXPECT_EQ(table.total(), 1520);
}

TEST(MemoryTable, RefusesWhatDoesNotFitAndSaysWhy) {
  MemoryTable table;
  table.add("factors", 3'000'000'000);
  EXPECT_TRUE(check_fits(table, 3'000'000'000, "training", "Less fits.").ok());
  const absl::Status s = check_fits(table, 2'999'999'999, "training", "Less fits.");
  EXPECT_TRUE(absl::IsResourceExhausted(s)) << s;
  const std::string message(message_of(s));
  EXPECT_THAT(message, testing::HasSubstr("factors"));
  EXPECT_THAT(message, testing::HasSubstr("3000.0 MB"));
  EXPECT_THAT(message, testing::HasSubstr("Less fits."));
}

}  // namespace
}  // namespace bouquet
