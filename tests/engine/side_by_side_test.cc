#include "engine/side_by_side.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/engine/small_matrices.h"

namespace bouquet {
namespace {

// However many vectors and rows there are, and whatever instructions there are: the sums of the definition, to the bit.
TEST(SideBySide, ProductsAreSumsInIndexOrder) {
  for (const size_t d : {1, 7, 128})
    for (const size_t width : {1, 10, 12, 13, 30})
      for (const size_t count : {0, 1, 2, 3, 4, 8}) {
        const std::vector<float> vectors = random_floats(width * d, 1), table = random_floats(9 * d, 2);
        const auto cols = static_cast<int64_t>(d);
        const SideBySide side(MatrixView<const float>{vectors.data(), static_cast<int64_t>(width), cols});
        std::vector<int32_t> rows(count);
        std::vector<double> factors(count), sums;
        for (size_t i = 0; i < count; ++i) rows[i] = static_cast<int32_t>(8 - i), factors[i] = 0.1 + 0.3 * static_cast<double>(i);
        side.products({table.data(), 9, cols}, rows, factors, sums);
        ASSERT_EQ(sums.size(), count * width);
        for (size_t i = 0; i < count; ++i)
          for (size_t k = 0; k < width; ++k) {
            double sum = 0;
            for (size_t j = 0; j < d; ++j) sum += factors[i] * double{table[(8 - i) * d + j]} * double{vectors[k * d + j]};
            ASSERT_EQ(sums[i * width + k], sum) << d << " " << width << " " << count;
          }
      }
}

TEST(SideBySide, ThePlainLoopMakesTheSameBits) {
  constexpr size_t kDimension = 33, kStride = 2 * SideBySide::kLanes, kRows = SideBySide::kRows;
  const std::vector<float> some = random_floats(kDimension * kStride, 3), others = random_floats(kRows * kDimension, 4);
  const std::vector<double> vectors(some.begin(), some.end()), rows(others.begin(), others.end());
  std::vector<double> sums(kRows * kStride);
  SideBySide::multiply_plainly(vectors.data(), kStride, rows.data(), kDimension, sums.data());
  for (size_t r = 0; r < kRows; ++r)
    for (size_t k = 0; k < kStride; ++k) {
      double sum = 0;
      for (size_t j = 0; j < kDimension; ++j) sum += rows[r * kDimension + j] * vectors[j * kStride + k];
      ASSERT_EQ(sums[r * kStride + k], sum);
    }
}

}  // namespace
}  // namespace bouquet
