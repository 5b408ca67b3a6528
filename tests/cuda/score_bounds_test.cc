// The scan in float: its bounds are never below the score, and so near to it that few rows are scored for nothing.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/rank_key.h"
#include "cuda/score_kernels.h"
#include "engine/score.h"
#include "tests/conformance/ranking_data.h"

namespace bouquet::cuda {
namespace {

using conformance::Hardness;
using conformance::RankingData;

// [queries, pitch]
std::vector<float> bounds_of(const RankingData& data, int64_t pitch) {
  const Device device(0);
  const Stream stream(device);
  const DeviceArray<float> ranked(data.ranked, stream), asking(data.asking, stream);
  const MatrixView<const float> queries = data.asking_matrix(), rows = data.ranked_matrix();
  DeviceArray<float> bounds(queries.rows * pitch, stream);
  ScoreTile tile{};
  tile.ranked = ranked.data();
  tile.asking = asking.data();
  tile.bounds = bounds.data();
  tile.pitch = pitch;
  tile.queries = static_cast<int32_t>(queries.rows);
  tile.rows = static_cast<int32_t>(rows.rows);
  tile.dimension = data.dimension;
  score_tile(stream, tile);
  std::vector<float> host(static_cast<size_t>(bounds.size()));
  bounds.download(host);
  stream.synchronize();
  return host;
}

float largest(std::span<const float> vector) {
  float most = 0;
  for (const float x : vector) most = std::max(most, std::abs(x));
  return most;
}

class ScoreBounds : public testing::TestWithParam<std::pair<Hardness, std::string>> {};

TEST_P(ScoreBounds, AreNeverBelowTheScore) {
  for (const int32_t d : {1, 15, 16, 17, 128})
    for (const int32_t queries : {3, 20}) {
      constexpr int32_t kRows = 203, kPitch = 256;
      const RankingData data = conformance::ranking_data(GetParam().first, queries, kRows, d, 7);
      const std::vector<float> bounds = bounds_of(data, kPitch);
      for (int32_t q = 0; q < queries; ++q)
        for (int32_t r = 0; r < kRows; ++r) {
          const auto asking = data.asking_matrix().row(q), ranked = data.ranked_matrix().row(r);
          const float exact = score(asking.data(), ranked.data(), d), bound = bounds[static_cast<size_t>(q * kPitch + r)];
          ASSERT_GE(bound, exact) << "d = " << d << ", query " << q << ", row " << r;
          if (std::isinf(bound)) continue;
          // Twice the allowance, once for the sum's own distance from the score.
          const double allowed = std::ldexp(2.0 * d * d, -22) * static_cast<double>(largest(asking)) * static_cast<double>(largest(ranked));
          ASSERT_LE(static_cast<double>(bound) - static_cast<double>(exact), allowed + std::ldexp(d, -145))
              << "d = " << d << ", query " << q << ", row " << r;
        }
    }
}

TEST(ScoreBoundsOutOfRange, AreInfiniteAndNeverTheMarkOfARowThatMayNotBeReturned) {
  // Sums of float that become infinite, either way, or infinity less infinity, where the score is 0 or finite.
  constexpr float kMost = std::numeric_limits<float>::max();
  RankingData data{3, {kMost, kMost, kMost}, {2, -2, 0, 2, -2, 1e-30f, -1, -0.5f, 0.75f, 1, 0, 0}};
  const std::vector<float> bounds = bounds_of(data, 4);
  for (int32_t r = 0; r < 4; ++r) {
    const float bound = bounds[static_cast<size_t>(r)];
    EXPECT_NE(std::bit_cast<uint32_t>(bound), kNotEligible);
    EXPECT_GE(bound, score(data.asking.data(), data.ranked.data() + 3 * r, 3)) << "row " << r;
  }
}

INSTANTIATE_TEST_SUITE_P(Data, ScoreBounds, testing::ValuesIn(conformance::hardnesses()),
                         [](const testing::TestParamInfo<ScoreBounds::ParamType>& tested) { return tested.param.second; });

}  // namespace
}  // namespace bouquet::cuda
