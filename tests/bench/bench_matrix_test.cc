#include "bench/bench_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>

#include "engine/errors.h"

namespace bouquet::bench {
namespace {

template <typename T>
void append(std::string& bytes, const std::vector<T>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string bytes_of(const std::vector<int32_t>& shape, const std::vector<int64_t>& offsets, const std::vector<int32_t>& columns) {
  std::string bytes;
  append(bytes, shape);
  append(bytes, std::vector<int64_t>{static_cast<int64_t>(columns.size())});
  append(bytes, offsets);
  append(bytes, columns);
  return bytes;
}

absl::StatusOr<SparseRows> read_back(const std::string& bytes) {
  const std::string path = testing::TempDir() + "bench_matrix_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::ofstream(path, std::ios::binary) << bytes;
  return read_matrix(path);
}

TEST(BenchMatrix, MadeUpMatricesDependOnShapeAndSeedAlone) {
  const auto once = made_up_matrix({500, 300, 8000}, 3);
  const auto again = made_up_matrix({500, 300, 8000}, 3);
  const auto other = made_up_matrix({500, 300, 8000}, 4);
  ASSERT_TRUE(once.ok());
  EXPECT_TRUE(validate(*once).ok());
  EXPECT_EQ(once->row_count(), 500);
  EXPECT_EQ(once->column_count, 300);
  EXPECT_NEAR(static_cast<double>(once->pair_count()), 8000, 800);
  EXPECT_EQ(once->columns, again->columns);
  EXPECT_NE(once->columns, other->columns);
}

TEST(BenchMatrix, RefusesShapesThatMakeNoSense) {
  EXPECT_TRUE(absl::IsInvalidArgument(made_up_matrix({0, 300, 8000}, 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(made_up_matrix({500, 0, 8000}, 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(made_up_matrix({500, 300, 499}, 1).status()));
}

TEST(BenchMatrix, ReadsWhatAPeerWrites) {
  const auto rows = read_back(bytes_of({2, 5}, {0, 2, 3}, {1, 4, 0}));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->column_count, 5);
  EXPECT_THAT(rows->offsets, testing::ElementsAre(0, 2, 3));
  EXPECT_THAT(rows->columns, testing::ElementsAre(1, 4, 0));
  EXPECT_THAT(rows->confidences, testing::Each(1.0f));
}

TEST(BenchMatrix, RefusesFilesThatAreCutOrWrong) {
  const std::string good = bytes_of({2, 5}, {0, 2, 3}, {1, 4, 0});
  for (size_t size = 0; size < good.size(); ++size) EXPECT_TRUE(absl::IsDataLoss(read_back(good.substr(0, size)).status())) << size;
  EXPECT_TRUE(absl::IsDataLoss(read_back(good + "x").status()));
  EXPECT_TRUE(absl::IsDataLoss(read_back(bytes_of({2, 5}, {0, 2, 3}, {1, 5, 0})).status()));
  EXPECT_TRUE(absl::IsDataLoss(read_back(bytes_of({2, 5}, {0, 9, 3}, {1, 4, 0})).status()));
  EXPECT_TRUE(absl::IsDataLoss(read_back(bytes_of({-1, 5}, {}, {})).status()));
  EXPECT_TRUE(absl::IsNotFound(read_matrix(testing::TempDir() + "no_such_matrix").status()));
}

}  // namespace
}  // namespace bouquet::bench
