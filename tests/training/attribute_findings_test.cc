#include "training/attribute_findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/counter_random.h"
#include "training/attribute_table_builder.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AttributeSchema schema_of(std::vector<Attribute> attributes) { return AttributeSchema::make(std::move(attributes)).value(); }

const NumberTransform kUnit{.low = -1e9, .high = 1e9, .mean = 0, .deviation = 1};

std::vector<std::string> names(const std::vector<AttributeFinding>& findings) {
  std::vector<std::string> all;
  for (const AttributeFinding& finding : findings) all.push_back(finding.attribute);
  return all;
}

TEST(AttributeFindings, DuplicatesAreEqualInEveryRow) {
  const AttributeSchema schema = schema_of({{"age", kUnit},
                                            {"country", CategoryTransform{{"DE", "FR"}}},
                                            {"years", kUnit},
                                            {"land", CategoryTransform{{"Germany", "France"}}},
                                            {"other", CategoryTransform{{"x", "y"}}}});
  AttributeTableBuilder builder(schema, 30);
  for (int i = 0; i < 30; ++i) {
    const auto age = i % 7 == 0 ? AttributeValue() : AttributeValue::of_number(i);
    const bool german = i % 3 == 0;
    ASSERT_TRUE(builder
                    .add(i, std::vector<AttributeValue>{age, AttributeValue::of_text(german ? "DE" : "FR"), age,
                                                        AttributeValue::of_text(german ? "Germany" : "France"),
                                                        AttributeValue::of_text(german || i == 1 ? "x" : "y")})
                    .ok());
  }
  const auto found = duplicate_attributes(schema, std::move(builder).finish().rows());
  EXPECT_THAT(names(found), ElementsAre("years", "land"));
  EXPECT_THAT(found[0].message, HasSubstr("says the same as age in every row"));
}

struct Shop {
  AttributeSchema schema =
      schema_of({{"total", kUnit}, {"age", kUnit}, {"tier", CategoryTransform{{"gold", "silver", "bronze"}}}, {"member", FlagTransform{}}});
  AttributeTable table;
  std::vector<LeakageTarget> targets{{"the number of events", {}}};

  explicit Shop(int rows) {
    AttributeTableBuilder builder(schema, rows);
    for (int i = 0; i < rows; ++i) {
      const double events = 1 + static_cast<double>(i % 30);
      targets[0].values.push_back(static_cast<float>(events));
      const std::vector<AttributeValue> row = {
          AttributeValue::of_number(events * events * 9.99), AttributeValue::of_number(20 + 50 * random_unit(1, static_cast<uint64_t>(i))),
          AttributeValue::of_text(random_unit(2, static_cast<uint64_t>(i)) < 0.5 ? "gold" : "silver"), AttributeValue::of_flag(i % 2 == 0)};
      EXPECT_TRUE(builder.add(i, row).ok());
    }
    table = std::move(builder).finish();
  }
};

TEST(AttributeFindings, ANumberThatFollowsTheEventsIsALeakHoweverCurved) {
  const Shop shop(3000);
  const auto found = leakage_suspects(shop.schema, shop.table.rows(), shop.targets);
  EXPECT_THAT(names(found), ElementsAre("total"));
  EXPECT_THAT(found[0].message, HasSubstr("alone explains 100 % of the number of events"));
}

TEST(AttributeFindings, ACategoryOrFlagThatDeterminesTheTargetIsALeak) {
  Shop shop(3000);
  const AttributeRows rows = shop.table.rows();
  for (int64_t r = 0; r < rows.rows(); ++r)
    shop.targets[0].values[static_cast<size_t>(r)] = shop.schema.column_name(rows.row_columns(r)[0]) == "tier = gold" ? 9 : 1;
  EXPECT_THAT(names(leakage_suspects(shop.schema, rows, shop.targets)), ElementsAre("tier"));
  for (size_t r = 0; r < 3000; ++r) shop.targets[0].values[r] = r % 2 == 0 ? 5 : 1;
  EXPECT_THAT(names(leakage_suspects(shop.schema, rows, shop.targets)), ElementsAre("member"));
}

TEST(AttributeFindings, FewRowsAndConstantTargetsSayNothing) {
  EXPECT_THAT(leakage_suspects(Shop(99).schema, Shop(99).table.rows(), Shop(99).targets), IsEmpty());
  Shop constant(3000);
  std::fill(constant.targets[0].values.begin(), constant.targets[0].values.end(), 3.0f);
  EXPECT_THAT(leakage_suspects(constant.schema, constant.table.rows(), constant.targets), IsEmpty());
}

}  // namespace
}  // namespace bouquet::training
