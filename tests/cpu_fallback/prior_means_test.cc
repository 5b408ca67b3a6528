#include "cpu_fallback/prior_means.h"

#include <gtest/gtest.h>

#include "cpu_fallback/panel_kernels.h"
#include "tests/engine/small_matrices.h"

namespace bouquet::cpu {
namespace {

// Few rows and a whole tile of them go different ways.
TEST(PriorMeans, OfARowAreTheSameBitsHoweverManyAreMadeTogether) {
  for (const int32_t d : {3, 64, 100})
    for (const int32_t dense : {0, 1, 301}) {
      const int32_t columns = dense + 1;
      PriorMap map(columns, dense, d);
      const std::vector<float> table = random_floats(static_cast<size_t>((columns + 1) * d), 5);
      map.assign({table.data(), columns + 1, d});
      GrowingAttributes rows(columns, dense);
      for (int64_t r = 0; r < PriorMeans::kBatch; ++r)
        rows.append(random_floats(static_cast<size_t>(dense), 10 + static_cast<uint64_t>(r)), std::vector<int32_t>{dense},
                    std::vector<float>{0.5f});
      PriorMeans together(map), alone(map);
      together.compute(rows.rows(), 0, PriorMeans::kBatch);
      for (int64_t count = 1; count <= 6; ++count)
        for (int64_t first = 0; first + count <= PriorMeans::kBatch; first += count) {
          alone.compute(rows.rows(), first, count);
          for (int64_t i = 0; i < count; ++i)
            for (int32_t j = 0; j < d; ++j) ASSERT_EQ(alone.row(i).mean[j], together.row(first + i).mean[j]) << d << " " << dense;
        }
    }
}

// Rows of which everything, little, half and all is missing, and such with values at the missing columns that are not 1.
TEST(PriorMeans, OfRowsOfWhichLittleIsKnownAreTheSameSumsFromWhatNothingLeadsTo) {
  constexpr int32_t kAttributes = 60, kDense = 2, kColumns = kDense + 2 * kAttributes;  // a flag each: true | missing
  for (const int32_t d : {3, 64, 200}) {
    const std::vector<float> table = random_floats(size_t{kColumns + 1} * static_cast<size_t>(d), 5);
    std::vector<int32_t> missing;
    for (int32_t a = 0; a < kAttributes; ++a) missing.push_back(kDense + 2 * a + 1);
    PriorMap plain(kColumns, kDense, d), knowing(kColumns, kDense, d);
    plain.assign({table.data(), kColumns + 1, d});
    knowing.assign({table.data(), kColumns + 1, d}, missing);
    GrowingAttributes rows(kColumns, kDense);
    for (const int32_t known : {0, 1, 7, 20, 21, 30, 59, 60})
      for (const float at_missing : {1.0f, 0.5f}) {
        std::vector<int32_t> columns;
        std::vector<float> values;
        for (int32_t a = 0; a < kAttributes; ++a) {
          const bool has = (a * 7) % kAttributes < known;
          if (has && a % 3 == 0) continue;  // false
          columns.push_back(kDense + 2 * a + (has ? 0 : 1));
          values.push_back(has || a % 5 != 0 ? 1 : at_missing);
        }
        rows.append(std::vector<float>{0.3f, -2}, columns, values);
      }
    PriorMeans expected(plain), actual(knowing);
    expected.compute(rows.rows(), 0, rows.rows().rows());
    actual.compute(rows.rows(), 0, rows.rows().rows());
    for (int64_t r = 0; r < rows.rows().rows(); ++r)
      for (int32_t j = 0; j < d; ++j) ASSERT_NEAR(actual.row(r).mean[j], expected.row(r).mean[j], 2e-5) << "row " << r << ", d " << d;
    for (int32_t j = 0; j < d; ++j) {
      double sum = plain.intercept()[j] + 0.3 * table[static_cast<size_t>(j)] - 2.0 * table[static_cast<size_t>(d + j)];
      for (const int32_t column : missing) sum += table[static_cast<size_t>(column * d + j)];
      ASSERT_NEAR(actual.row(0).mean[j], sum, 1e-5);
    }
  }
}

}  // namespace
}  // namespace bouquet::cpu
