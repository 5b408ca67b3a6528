// How much of a planted truth the priors find: customers and items without events, ranked by their attributes, beside the ranking by the
// true expected utility. A small shop; planted_truth_long_test.cc has one of 100,000 customers.
#include "tests/training/planted_world.h"

namespace bouquet::training {
namespace {

ShopSettings small_shop(bool linear) { return planted_shop_of({.customers = 8000, .items = 600, .events = 240000}, linear, 3); }

TrainingOptions options() {
  TrainingOptions options;
  options.dimension = 24;
  options.unobserved_weight = 0.3;
  options.regularization = 1;
  options.customer_attribute_regularization = options.item_attribute_regularization = 10;
  return options;
}

TEST(PlantedTruth, ColdCustomersAndItemsAreRankedNearlyAsTheLinearPlantWould) {
  PlantedWorld world(small_shop(true), options(), 6, "planted_linear");
  const PlantedFigures customers = world.cold_customers(), items = world.cold_items();
  print("customers", customers);
  print("items", items);
  EXPECT_GE(customers.model, 0.87 * customers.truth);
  EXPECT_GE(items.model, 0.87 * items.truth);
  // The plant is worth finding: popularity alone is far behind.
  EXPECT_LT(customers.popular, 0.85 * customers.truth);
  EXPECT_LT(items.popular, 0.8 * items.truth);
  EXPECT_NEAR(customers.linear, customers.truth, 1e-9);
  const PlantedFigures both = world.both_cold();
  print("customers and items", both);
  EXPECT_GE(both.model, 0.8 * both.truth);
  EXPECT_LT(both.popular, 0.7 * both.truth);
}

TEST(PlantedTruth, TheNonLinearPlantHasALinearCeiling) {
  PlantedWorld world(small_shop(false), options(), 6, "planted_pairs");
  const PlantedFigures customers = world.cold_customers(), items = world.cold_items();
  print("customers", customers);
  print("items", items);
  EXPECT_GT(customers.truth, 1.05 * customers.linear);
  EXPECT_GE(customers.model, 0.85 * customers.linear);
  EXPECT_GE(items.model, 0.75 * items.linear);
}

}  // namespace
}  // namespace bouquet::training
