#include "bench/made_up_attributes.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/errors.h"

namespace bouquet::bench {

absl::StatusOr<AttributeTable> made_up_attributes(int64_t rows, const AttributeShape& shape, uint64_t seed) {
  if (shape.dense < 0 || shape.dense > kMaxDenseAttributeColumns || shape.sparse < 0 || shape.sparse > kMaxAttributeColumns - shape.dense)
    return wrong_usage("--dense-attributes, --sparse-attributes: at most " + std::to_string(kMaxDenseAttributeColumns) +
                       " dense columns and " + std::to_string(kMaxAttributeColumns) + " in all");
  if (shape.set < 0 || shape.set > shape.sparse || (shape.set == 0 && shape.sparse > 0))
    return wrong_usage("--set-attributes: between 1 and the " + std::to_string(shape.sparse) + " sparse columns that there are");
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto n = static_cast<size_t>(rows);
  std::vector<float> dense(n * static_cast<size_t>(shape.dense));
  for (float& value : dense) value = normal(random);
  std::vector<int64_t> offsets(n + 1);
  std::vector<int32_t> columns(n * static_cast<size_t>(shape.set));
  for (size_t e = 0; e < columns.size(); ++e) {
    const auto category = static_cast<int64_t>(e % static_cast<size_t>(shape.set));
    const int64_t begin = category * shape.sparse / shape.set, end = (category + 1) * shape.sparse / shape.set;
    const double u = uniform(random);
    columns[e] = shape.dense + static_cast<int32_t>(begin + static_cast<int64_t>(u * u * static_cast<double>(end - begin)));
  }
  for (size_t r = 0; r <= n; ++r) offsets[r] = static_cast<int64_t>(r) * shape.set;
  std::vector<float> values(columns.size(), 1);
  return AttributeTable{shape.dense + shape.sparse, shape.dense,        std::move(dense),
                        std::move(offsets),         std::move(columns), std::move(values)};
}

}  // namespace bouquet::bench
