// The scan kernel of every instruction set that this machine has, against plain sums.
#include "cpu_fallback/scan_kernel.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <random>
#include <vector>

#include "cpu_fallback/aligned.h"

namespace bouquet::cpu {
namespace {

// Random codes that keep the promises of scan_kernel.h; the first row and query go to the limits.
struct Block {
  explicit Block(int dimension)
      : shape{(dimension + 3) / 4 * 4}, codes(static_cast<size_t>(shape.block_bytes())), sums(static_cast<size_t>(shape.block_sums())) {
    const double spread = std::min<double>(kRowCodeLimit, kRowLaneNorm / std::sqrt(std::min(dimension, kChunk) / 2 + 1.0));
    for (int r = 0; r < kBlockRows; ++r)
      for (int j = 0; j < dimension; ++j) {
        const int code =
            r == 0 ? static_cast<int>(spread) : static_cast<int>(std::uniform_real_distribution<double>(-spread, spread)(random));
        codes[static_cast<size_t>(shape.code_at(r, j))] = static_cast<int8_t>(code);
        sums[static_cast<size_t>(shape.sum_at(r, j / kChunk, j % 4 / 2))] -= static_cast<int16_t>(code);
      }
    const double query_spread = std::min<double>(kQueryCodeLimit, kQueryLaneNorm / std::sqrt(std::min(dimension, kChunk) / 2 + 1.0));
    for (int q = 0; q < kGroup; ++q) {
      queries.emplace_back(static_cast<size_t>(shape.padded_dimension), kCodeOffset);
      for (int j = 0; j < dimension; ++j) {
        const int code = q == 0   ? static_cast<int>(query_spread)
                         : q == 1 ? -static_cast<int>(query_spread)
                                  : static_cast<int>(std::uniform_real_distribution<double>(-query_spread, query_spread)(random));
        queries.back()[static_cast<size_t>(j)] = static_cast<uint8_t>(code + kCodeOffset);
      }
    }
  }

  int32_t score(int q, int r) const {
    int32_t sum = 0;
    for (int j = 0; j < shape.padded_dimension; ++j)
      sum += (queries[static_cast<size_t>(q)][static_cast<size_t>(j)] - kCodeOffset) * codes[static_cast<size_t>(shape.code_at(r, j))];
    return sum;
  }

  std::mt19937 random{3};
  ScanShape shape;
  AlignedVector<int8_t> codes;
  AlignedVector<int16_t> sums;
  std::vector<std::vector<uint8_t>> queries;
};

void expect_right(const Block& block, int count) {
  constexpr int32_t kFirstPosition = 512;
  std::vector<uint8_t> packed(static_cast<size_t>(block.shape.padded_dimension * count));
  std::vector<std::vector<Found>> found(static_cast<size_t>(count), std::vector<Found>(kBlockRows + 2, Found{-1, -1}));
  ScanQuery queries[kGroup];
  for (int q = 0; q < count; ++q) {
    pack_query(block.queries[static_cast<size_t>(q)], q, count, packed.data());
    // Thresholds that nothing, some and everything reaches, in turn.
    queries[q] = {.threshold = q % 3 == 0   ? block.score(q, 0)
                               : q % 3 == 1 ? -(1 << 30)
                                            : 1 << 30,
                  .found_count = 0,
                  .found = found[static_cast<size_t>(q)].data()};
  }
  scan_block({block.shape, block.codes.data(), block.sums.data(), kFirstPosition, packed.data(), count, queries});
  for (int q = 0; q < count; ++q) {
    int next = 0;
    for (int r = 0; r < kBlockRows; ++r) {
      if (block.score(q, r) < queries[q].threshold) continue;
      ASSERT_LT(next, queries[q].found_count);
      EXPECT_EQ(found[static_cast<size_t>(q)][static_cast<size_t>(next)].position, kFirstPosition + r);
      EXPECT_EQ(found[static_cast<size_t>(q)][static_cast<size_t>(next)].score, block.score(q, r));
      ++next;
    }
    EXPECT_EQ(next, queries[q].found_count);
    EXPECT_EQ(found[static_cast<size_t>(q)].back().position, -1) << "written past the promised room";
  }
}

TEST(ScanKernel, GivesTheSameSumsWithEveryInstructionSet) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (const int dimension : {1, 4, 31, 64, 101, 128, 129, 256, 1000, 1024})
      for (int count = 1; count <= kGroup; ++count) {
        SCOPED_TRACE(testing::Message() << hwy::TargetName(target) << ", dimension " << dimension << ", " << count << " queries");
        expect_right(Block(dimension), count);
      }
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace bouquet::cpu
