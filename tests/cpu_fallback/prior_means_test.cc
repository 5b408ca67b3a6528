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

}  // namespace
}  // namespace bouquet::cpu
