// Planted attributes: what they say of tastes, what a linear function can see of it, and that purchases follow.
#include "training/planted_side.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "training/synthetic_shop.h"

namespace bouquet::training {
namespace {

constexpr int32_t kClusters = 5;

PlantSettings plant_of(bool linear) {
  return {.attributes = 4, .informative = 4, .linear = linear, .taste_noise = 0.2, .missing_share = 0};
}

double sum_of(const std::vector<double>& shares) { return std::accumulate(shares.begin(), shares.end(), 0.0); }

TEST(PlantedSide, TastesAreSharesThatSumUpToOne) {
  for (const bool linear : {true, false}) {
    PlantSettings settings = plant_of(linear);
    settings.missing_share = 0.3;
    const PlantedSide side(settings, kClusters, 3);
    for (int64_t row = 0; row < 200; ++row) {
      EXPECT_NEAR(sum_of(side.tastes(row)), 1, 1e-12);
      EXPECT_NEAR(sum_of(side.expected_tastes(row)), 1, 1e-12);
      EXPECT_NEAR(sum_of(side.linear_tastes(row)), 1, 1e-12);
    }
  }
}

TEST(PlantedSide, MoreAttributesAreNoiseAndChangeNothing) {
  PlantSettings more = plant_of(false);
  more.attributes = 40;
  const PlantedSide few(plant_of(false), kClusters, 3), many(more, kClusters, 3);
  for (int64_t row = 0; row < 50; ++row) {
    EXPECT_EQ(few.tastes(row), many.tastes(row));
    for (int32_t a = 0; a < 4; ++a) EXPECT_EQ(few.value(row, a).text(), many.value(row, a).text());
  }
  EXPECT_EQ(many.name(0), "category_1");
  EXPECT_EQ(many.name(7), "set_8");
}

// What is expected is the mean of what is: the noise of the rows cancels out.
TEST(PlantedSide, ExpectedTastesAreTheMeanOfTastes) {
  PlantSettings settings = plant_of(true);
  settings.missing_share = 0.2;
  const PlantedSide side(settings, kClusters, 3);
  std::vector<double> difference(kClusters, 0);
  constexpr int64_t kRows = 20000;
  for (int64_t row = 0; row < kRows; ++row)
    for (size_t k = 0; k < kClusters; ++k) difference[k] += (side.tastes(row)[k] - side.expected_tastes(row)[k]) / kRows;
  for (const double mean : difference) EXPECT_NEAR(mean, 0, 0.004);
}

TEST(PlantedSide, OfTheLinearPlantALinearFunctionSeesAll) {
  const PlantedSide side(plant_of(true), kClusters, 3);
  for (int64_t row = 0; row < 100; ++row) EXPECT_EQ(side.linear_tastes(row), side.expected_tastes(row));
}

// What is left has nothing to do with any value by itself, so no linear function comes nearer.
TEST(PlantedSide, OfPairsALinearFunctionSeesTheMainEffects) {
  const PlantedSide side(plant_of(false), kClusters, 3);
  constexpr int64_t kRows = 40000;
  double left_with_level[4][6] = {}, rows_with_level[4][6] = {}, left_times_number = 0, left_squared = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    const double left = side.expected_tastes(row)[0] - side.linear_tastes(row)[0];
    left_squared += left * left / kRows;
    for (int32_t a = 0; a < 4; ++a) {
      const PlantedValue value = side.value(row, a);
      if (value.type == AttributeType::kNumber) {
        left_times_number += left * (value.number - 0.5) / kRows;
        continue;
      }
      left_with_level[a][value.level] += left;
      rows_with_level[a][value.level] += 1;
    }
  }
  EXPECT_GT(left_squared, 1e-3);  // there is much that it does not see
  EXPECT_NEAR(left_times_number, 0, 1e-3);
  for (int a = 0; a < 4; ++a)
    for (int level = 0; level < 6; ++level)
      if (rows_with_level[a][level] > 0) {
        EXPECT_NEAR(left_with_level[a][level] / rows_with_level[a][level], 0, 0.01) << a << " " << level;
      }
}

// How often each item is bought, against the chances that the truth gives it.
TEST(PlantedShop, PurchasesFollowTheChances) {
  ShopSettings settings{.customers = 3000, .items = 200, .events = 30000, .clusters = kClusters};
  settings.popularity_slope = 0.3;
  settings.activity_spread = 0;
  settings.repeat_share = settings.return_share = 0;
  settings.plant = plant_of(true);
  const SyntheticShop shop = SyntheticShop::make(settings).value();
  std::vector<double> expected(200, 0), bought(200, 0);
  std::vector<std::vector<double>> appeal;
  for (ItemIndex item = 0; item < 200; ++item) appeal.push_back(shop.item_plant()->tastes(item));
  shop.for_each_customer([&](std::span<const ShopEvent> life) {
    const std::vector<double> tastes = shop.customer_plant()->tastes(life.front().customer);
    for (size_t i = 0; i < 200; ++i)
      expected[i] += static_cast<double>(life.size()) * shop.chance(tastes, appeal[i], shop.popularity_of(static_cast<ItemIndex>(i)));
    for (const ShopEvent& event : life) ++bought[static_cast<size_t>(event.item)];
    return true;
  });
  EXPECT_NEAR(sum_of(expected), 30000, 1);
  double squares = 0;
  for (size_t i = 0; i < 200; ++i) squares += (bought[i] - expected[i]) * (bought[i] - expected[i]) / expected[i];
  // 200 squares of about normal deviates; nobody buys an item twice, which makes them a little smaller or larger.
  EXPECT_LT(squares, 320);
}

TEST(PlantedShop, RefusesSettingsThatMakeNoSense) {
  ShopSettings settings;
  settings.plant.attributes = 5001;
  EXPECT_EQ(SyntheticShop::make(settings).status().message(), "--attributes is 5001; it must be from 0 to 5000");
  settings.plant = {.attributes = 4, .informative = 4, .linear = true, .taste_noise = 1.5, .missing_share = 0};
  EXPECT_EQ(SyntheticShop::make(settings).status().message(), "--taste-noise is 1.5; it must be from 0 to 1");
}

}  // namespace
}  // namespace bouquet::training
