// What a build with -DBOUQUET_PARQUET=OFF says. Its one source is compiled here, so that every build looks at it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/parquet_reader.h"

namespace bouquet::training {
namespace {

TEST(ParquetAbsent, SaysWhichFileWhyAndWhatToDo) {
  EXPECT_FALSE(can_read_parquet());
  const auto reader = open_parquet("orders.parquet");
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(reader.status().message()), ::testing::StartsWith("orders.parquet: "));
  EXPECT_THAT(std::string(reader.status().message()), ::testing::HasSubstr("-DBOUQUET_PARQUET=ON"));
  EXPECT_THAT(std::string(reader.status().message()), ::testing::HasSubstr("CSV"));
}

}  // namespace
}  // namespace bouquet::training
