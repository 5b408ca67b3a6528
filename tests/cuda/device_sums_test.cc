// The kernels beside the solvers: Gram matrices, the objective, padding.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cuda/gram.h"
#include "cuda/libraries.h"
#include "cuda/objective.h"
#include "cuda/row_systems.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda/solved_rows.h"

namespace bouquet::cuda {
namespace {

MatrixView<const float> view(const std::vector<float>& values, int32_t d) {
  return {values.data(), static_cast<int64_t>(values.size()) / d, d};
}

class DeviceSums : public testing::Test {
 protected:
  FactorArray upload(const std::vector<float>& values, int32_t d) {
    FactorArray array(static_cast<int64_t>(values.size()) / d, d, stream_);
    array.fill(
        [&](int64_t first, int64_t count, float* to) {
          for (int64_t e = 0; e < count * d; ++e) to[e / d * array.stride() + e % d] = values[static_cast<size_t>(first * d + e)];
        },
        stream_);
    return array;
  }

  DeviceArray<double> gram_of(const FactorArray& array, int32_t d, int64_t chunk_doubles = GramSums::kChunkDoubles) {
    DeviceArray<double> gram(int64_t{d} * d, stream_);
    GramSums(d, stream_, chunk_doubles).sum(array.data(), array.rows(), gram.data(), blas_, stream_);
    return gram;
  }

  void expect_gram(int64_t rows, int32_t d, int64_t chunk_doubles = GramSums::kChunkDoubles) {
    const std::vector<float> values = random_vectors(rows, d, 9);
    const FactorArray array = upload(values, d);
    const DeviceArray<double> gram = gram_of(array, d, chunk_doubles);
    DeviceArray<float> rounded(gram.size(), stream_);
    round_gram(gram.data(), d, rounded.data(), stream_);
    std::vector<double> found(static_cast<size_t>(gram.size()));
    std::vector<float> found_rounded(found.size());
    gram.download(found);
    rounded.download(found_rounded);
    stream_.synchronize();
    const oracle::FixedSide exact(view(values, d));
    for (size_t e = 0; e < found.size(); ++e) {
      ASSERT_NEAR(found[e], exact.gram[e], 1e-11 * static_cast<double>(rows)) << e;
      ASSERT_EQ(found_rounded[e], static_cast<float>(found[e])) << e;
    }
  }

  const Device device_{0};
  const Stream stream_{device_};
  const BlasHandle blas_{stream_};
};

TEST_F(DeviceSums, GramMatrices) {
  for (const int32_t d : {1, 6, 33}) {
    for (const int64_t rows : {0, 1, 31, 33, 70}) {
      SCOPED_TRACE(testing::Message() << rows << " rows of dimension " << d);
      expect_gram(rows, d);
    }
  }
}

// A chunk has 64 rows, and its 2,112 elements end within a block of threads.
TEST_F(DeviceSums, GramMatrixOfSeveralChunks) {
  for (const int64_t rows : {64, 65, 150}) expect_gram(rows, 33, 64 * 33);
}

TEST_F(DeviceSums, Objective) {
  const oracle::Settings settings = RowsOnTheDevice::kSettings;
  Objective objective(stream_);
  for (const bool with_targets : {false, true}) {
    for (const int32_t d : {6, 33, 40}) {
      // 300 customers are more than one block of the penalty, their pairs more than one of the misfit; some rows are empty.
      std::vector<int32_t> lengths(300, 5);
      lengths[0] = lengths[7] = lengths[8] = lengths[299] = 0;
      lengths[150] = with_targets ? 61 : 60;  // 1,536 pairs are shares of equal length: nobody has one to spare
      const Interactions shop = shaped_rows(lengths, 90, with_targets);
      const std::vector<float> profiles = random_vectors(300, d, 1), items = random_vectors(90, d, 2);
      const HalfStep customer_step(shop.by_customer, plan_half_step(shop.by_customer.offsets, d, 0),
                                   {settings.alpha0, settings.lambda, settings.nu, 90}, stream_);
      const HalfStep item_step(shop.by_item, plan_half_step(shop.by_item.offsets, d, 0),
                               {settings.alpha0, settings.lambda, settings.nu, 300}, stream_);
      const FactorArray profile_array = upload(profiles, d), item_array = upload(items, d);
      const DeviceArray<double> profile_gram = gram_of(profile_array, d), item_gram = gram_of(item_array, d);
      const double found =
          objective.evaluate({customer_step.pairs(), 300, profile_array.data(), profile_gram.data()},
                             {item_step.pairs(), 90, item_array.data(), item_gram.data()}, shop.pair_count(), d, settings.alpha0, stream_);
      const double expected = oracle::objective(shop, view(profiles, d), view(items, d), settings);
      EXPECT_NEAR(found, expected, 1e-10 * expected) << "d = " << d;
    }
  }
}

TEST_F(DeviceSums, PaddedRowsEndWithZeros) {
  const std::vector<float> values = random_vectors(50, 6, 3);
  const DeviceArray<float> packed(std::span<const float>(values), stream_);
  DeviceArray<float> padded(50 * 8, stream_);
  pad_rows(packed.data(), 50, 6, padded.data(), stream_);
  std::vector<float> found(50 * 8);
  padded.download(found);
  stream_.synchronize();
  for (size_t r = 0; r < 50; ++r)
    for (size_t j = 0; j < 8; ++j) EXPECT_EQ(found[r * 8 + j], j < 6 ? values[r * 6 + j] : 0.0f);
}

}  // namespace
}  // namespace bouquet::cuda
