// What is left of customers who were taken out of an artifact: nothing, and of the others everything.
#include "engine/emptied_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

using testing::ElementsAre;

TEST(EmptiedRows, HaveNothingOfTheCustomersAndOthersStayWhereTheyAre) {
  const Artifact before = tiny_artifact();
  Artifact artifact = before;
  const CustomerIndex bob = 1;
  empty_customer_rows({&bob, 1}, artifact);
  ASSERT_TRUE(validate(artifact).ok()) << validate(artifact);
  EXPECT_EQ(artifact.customer_ids.find("bob"), kNone);
  EXPECT_EQ(artifact.customer_ids.id(1).size(), 32u);
  EXPECT_EQ(artifact.customer_ids.find("ann"), 0);
  EXPECT_EQ(artifact.customer_ids.find("c\xc3\xa9line"), 2);
  EXPECT_THAT(artifact.model.profiles.view(), ElementsAre(1, 2, 0, 0, 0, 0));
  EXPECT_THAT(artifact.histories.offsets.view(), ElementsAre(0, 3, 3, 3));
  EXPECT_THAT(artifact.histories.items.view(), ElementsAre(0, 1, 3));
  EXPECT_THAT(artifact.histories.confidences.view(), ElementsAre(1, 2.5f, 0.1f));
  EXPECT_THAT(artifact.histories.targets.view(), ElementsAre(1, 0, 1));
  EXPECT_THAT(artifact.histories.consumed.view(), ElementsAre(1, 0, 0));
  EXPECT_THAT(artifact.histories.repurchase.view(), ElementsAre(2, 0, 0));
  EXPECT_THAT(artifact.histories.counts.view(), ElementsAre(3, 0, 0));
  EXPECT_TRUE(artifact.histories.minutes.empty());
  const AttributeRows rows = artifact.customer_attributes.table.rows(), old = before.customer_attributes.table.rows();
  EXPECT_THAT(rows.dense, ElementsAre(0.5f, 0, 0));
  EXPECT_TRUE(rows.row_columns(1).empty());
  for (const int64_t row : {0, 2}) EXPECT_THAT(rows.row_columns(row), testing::ElementsAreArray(old.row_columns(row)));
  EXPECT_THAT(artifact.item_customers.view(), testing::ElementsAreArray(before.item_customers.view())) << "what all did together";
  Artifact again = before;
  empty_customer_rows({&bob, 1}, again);
  EXPECT_NE(again.customer_ids.id(1), artifact.customer_ids.id(1));
}

TEST(EmptiedRows, OfAllCustomersLeaveAnArtifactThatIsWhole) {
  Artifact artifact = tiny_artifact();
  const std::vector<CustomerIndex> all = {0, 1, 2};
  empty_customer_rows(all, artifact);
  EXPECT_TRUE(validate(artifact).ok()) << validate(artifact);
  EXPECT_TRUE(artifact.histories.items.empty());
}

}  // namespace
}  // namespace bouquet
