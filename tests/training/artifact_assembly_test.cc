#include "training/artifact_assembly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/catalog_columns_builder.h"
#include "tests/training/small_shop.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;

Model model_of(int32_t customers, int32_t items) {
  Model model;
  model.dimension = 1;
  model.profiles = std::vector<float>(static_cast<size_t>(customers), 1);
  model.item_vectors = std::vector<float>(static_cast<size_t>(items), 1);
  model.item_gram = std::vector<float>{static_cast<float>(items)};
  return model;
}

TEST(AssembleArtifact, TakesIdsTitlesAndCountsOverInTheSetsOrder) {
  Dataset shop = shop_of({{"ann", "milk", 1, 1, 0},
                          {"ann", "tea", 1, 2, 0},
                          {"ann", "milk", 3, 1, 1},
                          {"bob", "tea", 2, 1, 2},
                          {"bob", "salt", 2, 1, 2, "view"},
                          {"", "milk", 2, 1, 3},
                          {"", "tea", 2, 1, 3}});
  const std::string titles = "Milk, 1 lTea";
  shop.catalog.titles = {std::vector<char>(titles.begin(), titles.end()), std::vector<uint64_t>{0, 9, 12, 12}};
  shop.catalog.kinds = std::vector<uint8_t>{0, 1, 2};
  CatalogColumnsBuilder columns;
  columns.add_numbers("price", {1, 2, 3});
  columns.add_sets("tags", {{{"x", "y"}}, {}, {{"y"}}});
  shop.catalog.columns = columns.finish();
  shop.rules.repurchase_half_life_days = 2;
  shop.read_at = 123;
  shop.customer_attributes.schema = *AttributeSchema::make({{"age", NumberTransform{}}});  // which the set was made without
  shop.customer_attributes.findings = {{AttributeFinding::Kind::kConstant, "planet", "is 'earth' in every row; it is left out"}};
  shop.customer_attributes.source.settings["zodiac"].ignore = true;
  auto set = build_training_set(shop, {});
  ASSERT_TRUE(set.ok()) << set.status();
  const Artifact a = assemble_artifact(shop, *std::move(set), model_of(2, 3),
                                       {.recipe = {}, .metrics = {}, .repurchase = {.share = 0.3}, .content_links = {}});
  EXPECT_TRUE(validate(a).ok()) << validate(a);
  EXPECT_EQ(a.customer_ids.id(1), "bob");
  const int32_t milk = a.item_ids.find("milk"), tea = a.item_ids.find("tea"), salt = a.item_ids.find("salt");
  EXPECT_EQ(a.catalog.titles.at(milk), "Milk, 1 l");
  EXPECT_EQ(a.catalog.titles.at(salt), "");
  EXPECT_EQ(a.catalog.kind(tea), ItemKind::kContent);
  EXPECT_TRUE(validate(a.catalog.columns, a.item_ids.size()).ok());
  const auto prices = a.catalog.columns.numbers_of(0, a.item_ids.size());
  EXPECT_EQ(prices[static_cast<size_t>(tea)], 2);
  EXPECT_EQ(prices[static_cast<size_t>(salt)], 3);
  EXPECT_EQ(a.item_customers[tea], 2);
  EXPECT_EQ(a.item_customers[salt], 0);  // nobody bought it
  EXPECT_THAT(a.histories.counts.view(), ElementsAre(2, 1, 1, 0));
  EXPECT_FLOAT_EQ(a.histories.repurchase[0], 1.5);
  EXPECT_EQ(a.co_purchases.basket_count, 2);  // ann's first and the anonymous one
  EXPECT_EQ(a.repurchase.share, 0.3);
  EXPECT_EQ(a.created_at, 123);
  EXPECT_THAT(a.customer_attributes.left_out, ElementsAre("age", "planet", "zodiac"));
}

}  // namespace
}  // namespace bouquet::training
