// fixtures/format_1 was written by the first release of format major 1 from tiny_artifact(). It is never written again: what was
// once published must stay readable.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/artifact_files.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

template <typename T>
bool same(const SharedArray<T>& a, const SharedArray<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

TEST(ArtifactFixture, OfMajor1StaysReadable) {
  const auto opened = open_artifact(BOUQUET_FIXTURES "/format_1");
  ASSERT_TRUE(opened.ok()) << opened.status();
  const Artifact &got = **opened, wanted = tiny_artifact();
  EXPECT_TRUE(same(got.model.profiles, wanted.model.profiles));
  EXPECT_TRUE(same(got.model.item_vectors, wanted.model.item_vectors));
  EXPECT_TRUE(same(got.model.item_gram, wanted.model.item_gram));
  EXPECT_TRUE(same(got.histories.items, wanted.histories.items));
  EXPECT_TRUE(same(got.histories.confidences, wanted.histories.confidences));
  EXPECT_TRUE(same(got.histories.consumed, wanted.histories.consumed));
  EXPECT_TRUE(same(got.co_purchases.partners, wanted.co_purchases.partners));
  EXPECT_EQ(got.customer_ids.find("c\xc3\xa9line"), 2);
  EXPECT_EQ(got.catalog.titles.at(3), "Weekly news");
  EXPECT_EQ(got.rules.types.size(), wanted.rules.types.size());
  EXPECT_EQ(got.rules.reference_time, wanted.rules.reference_time);
  EXPECT_EQ(got.recipe.options.seed, wanted.recipe.options.seed);
  EXPECT_EQ(got.metrics.at(0).metrics.at(0).value, 0.125);
  EXPECT_EQ(got.model.constants.empty_history_share, 1);  // what it meant before there was a choice
  EXPECT_EQ(got.content_links.weight, 0);
}

}  // namespace
}  // namespace bouquet
