#include "tests/server/attributed_shop.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/attribute_encoder.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {
namespace {

std::vector<float> random_floats(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.5f);
  std::vector<float> values(n);
  for (float& x : values) x = normal(random);
  return values;
}

}  // namespace

Artifact attributed_shop() {
  Artifact shop = random_shop(60, 3, kAttributedDimension, 3).artifact();
  add_customer_attributes(shop);
  shop.model.constants = {0.1, 0.5, 0.5, 60, 3};
  return shop;
}

void add_customer_attributes(Artifact& shop) {
  const auto customers = static_cast<size_t>(shop.model.customer_count());
  auto schema = AttributeSchema::make({{"age", NumberTransform{.log1p = false, .low = 0, .high = 100, .mean = 40, .deviation = 10}},
                                       {"country", CategoryTransform{{"DE"}}}});
  EXPECT_TRUE(schema.ok()) << schema.status();
  const int32_t columns = schema->column_count();
  AttributeEncoder encoder(*schema);
  std::vector<float> dense(customers), values;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> sparse;
  for (size_t u = 0; u < customers; ++u) {
    std::vector<AttributeValue> row(2);
    if (u == 0) row = {AttributeValue::of_number(50), AttributeValue::of_text("DE")};
    EXPECT_TRUE(encoder.encode(row, std::span(dense).subspan(u, 1), sparse, values).ok());
    offsets.push_back(static_cast<int64_t>(sparse.size()));
  }
  shop.customer_attributes = {*schema, {columns, 1, dense, offsets, sparse, values}};
  shop.model.customer_prior = {1, random_floats(static_cast<size_t>((columns + 1) * shop.model.dimension), 4)};
}

}  // namespace bouquet::server
