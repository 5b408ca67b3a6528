#include "cuda/rank_key.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <vector>

#include "engine/score.h"

namespace bouquet::cuda {
namespace {

RankKey key(float score, int32_t row) { return rank_key(std::bit_cast<uint32_t>(score), row); }

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const std::vector<float> kScores = {-kInfinity, -1e38f, -1.5f, -1e-40f, -0.0f, 0.0f, 1e-45f, 1e-40f, 1.0f, 1.5f, 3e38f, kInfinity};
const std::vector<int32_t> kRows = {0, 1, 2, 1000, std::numeric_limits<int32_t>::max() - 1, std::numeric_limits<int32_t>::max()};

TEST(RankKeyTest, OrdersAsAnAnswerIsOrdered) {
  for (const float a : kScores)
    for (const float b : kScores)
      for (const int32_t row_a : kRows)
        for (const int32_t row_b : kRows) {
          if (row_a == row_b) continue;  // no two scores are of one row
          EXPECT_EQ(key(a, row_a) > key(b, row_b), ranks_before(a, row_a, b, row_b)) << a << " " << row_a << ", " << b << " " << row_b;
        }
}

TEST(RankKeyTest, GivesBackTheRowAndTheBitsOfTheScore) {
  for (const float score : kScores)
    for (const int32_t row : kRows) {
      EXPECT_EQ(row_of(key(score, row)), row);
      EXPECT_EQ(score_bits_of(key(score, row)), std::bit_cast<uint32_t>(score)) << score;
    }
}

TEST(RankKeyTest, EveryKeyIsAboveNone) {
  for (const int32_t row : kRows) EXPECT_GT(key(-kInfinity, row), kNoKey);
}

}  // namespace
}  // namespace bouquet::cuda
