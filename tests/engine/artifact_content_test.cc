// What validate() refuses: every array of an artifact with something wrong in it, everything else right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

using testing::HasSubstr;

struct BadContent {
  const char* name;
  std::function<void(Artifact&)> break_it;
  const char* complaint;
};
void PrintTo(const BadContent& bad, std::ostream* out) { *out << bad.name; }

class ArtifactContent : public testing::TestWithParam<BadContent> {};

TEST_P(ArtifactContent, IsRefusedByValidate) {
  Artifact artifact = tiny_artifact();
  ASSERT_TRUE(validate(artifact).ok());
  GetParam().break_it(artifact);
  const absl::Status status = validate(artifact);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().complaint));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;
using Longs = std::vector<int64_t>;
using Bytes = std::vector<uint8_t>;
using Offsets = std::vector<uint64_t>;

INSTANTIATE_TEST_SUITE_P(
    Model, ArtifactContent,
    testing::Values(BadContent{"profile NaN", [](Artifact& a) { a.model.profiles = Floats{1, 2, 3, kNan, 5, 6}; }, "profiles: row 1"},
                    BadContent{"item infinite", [](Artifact& a) { a.model.item_vectors = Floats{1, 2, 3, 4, 5, 6, 7, -kInfinity}; },
                               "item vectors: row 3"},
                    BadContent{"gram NaN",
                               [](Artifact& a) {
                                 a.model.item_gram = Floats{1, 2, kNan, 4};
                               },
                               "item gram"},
                    BadContent{"gram shape",
                               [](Artifact& a) {
                                 a.model.item_gram = Floats{1, 2};
                               },
                               "dimension"},
                    BadContent{"half a profile",
                               [](Artifact& a) {
                                 a.model.profiles = Floats{1, 2, 3};
                               },
                               "dimension"},
                    BadContent{"dimension 0", [](Artifact& a) { a.model.dimension = 0; }, "dimension"},
                    BadContent{"fewer profiles than ids",
                               [](Artifact& a) {
                                 a.model.profiles = Floats{1, 2, 3, 4};
                               },
                               "customer ids: 3"},
                    BadContent{"more ids than items",
                               [](Artifact& a) {
                                 a.item_ids = id_table({"a", "b", "c", "d", "e"});
                               },
                               "item ids: 5"}));

INSTANTIATE_TEST_SUITE_P(
    Columns, ArtifactContent,
    testing::Values(
        BadContent{"column twice", [](Artifact& a) { a.catalog.columns.columns[1].name = "price"; }, "two are named 'price'"},
        BadContent{"column of every item", [](Artifact& a) { a.catalog.columns.columns[1].name = "kind"; }, "'kind' is a field"},
        BadContent{"column without a name", [](Artifact& a) { a.catalog.columns.columns[1].name = ""; }, "has no name"},
        BadContent{"column of vectors", [](Artifact& a) { a.catalog.columns.columns[1].type = AttributeType::kVector; },
                   "'fresh' is of type vector"},
        BadContent{"number infinite",
                   [](Artifact& a) {
                     a.catalog.columns.numbers = std::vector<double>{1, 2, 3, kInfinity};
                   },
                   "numbers: entry 3 is infinite"},
        BadContent{"numbers short", [](Artifact& a) { a.catalog.columns.numbers = std::vector<double>{1}; }, "numbers: 1 entries where 4"},
        BadContent{"flag three",
                   [](Artifact& a) {
                     a.catalog.columns.flags = Bytes{1, 0, 3, 2};
                   },
                   "flags: entry 2"},
        BadContent{"flags short", [](Artifact& a) { a.catalog.columns.flags = Bytes{1}; }, "flags: 1 entries"},
        BadContent{"code too large",
                   [](Artifact& a) {
                     a.catalog.columns.codes = Ints{0, 1, 2, 5};
                   },
                   "codes: entry 3"},
        BadContent{"code below none",
                   [](Artifact& a) {
                     a.catalog.columns.codes = Ints{0, -2, 2, 1};
                   },
                   "codes: entry 1"},
        BadContent{"set offsets fall",
                   [](Artifact& a) {
                     a.catalog.columns.set_offsets = Longs{0, 9, 2, 3, 4};
                   },
                   "set offsets: entry 2 falls"},
        BadContent{"set offsets past the end",
                   [](Artifact& a) {
                     a.catalog.columns.set_offsets = Longs{0, 2, 2, 3, 5};
                   },
                   "do not end"},
        BadContent{"set offsets absent", [](Artifact& a) { a.catalog.columns.set_offsets = Longs{}; }, "set offsets: 0 entries"},
        BadContent{"set out of order",
                   [](Artifact& a) {
                     a.catalog.columns.set_codes = Ints{4, 2, 3, -1};
                   },
                   "set codes: entry 1"},
        BadContent{"set half missing",
                   [](Artifact& a) {
                     a.catalog.columns.set_codes = Ints{-1, 2, 3, -1};
                   },
                   "set codes: entry 0"},
        BadContent{"texts out of order",
                   [](Artifact& a) {
                     a.catalog.columns.texts = string_column({"b", "a", "c", "d", "e"});
                   },
                   "text 1 is out of order"},
        BadContent{"text empty",
                   [](Artifact& a) {
                     a.catalog.columns.texts = string_column({"", "a", "b", "c", "d"});
                   },
                   "text 0 is empty"},
        BadContent{"text offsets past the end",
                   [](Artifact& a) {
                     a.catalog.columns.texts.offsets = Offsets{0, 99, 100};
                   },
                   "the offsets of texts"}));

INSTANTIATE_TEST_SUITE_P(
    Histories, ArtifactContent,
    testing::Values(BadContent{"offsets short",
                               [](Artifact& a) {
                                 a.histories.offsets = Longs{0, 3, 5};
                               },
                               "history offsets: 3 entries"},
                    BadContent{"offsets start",
                               [](Artifact& a) {
                                 a.histories.offsets = Longs{1, 3, 5, 5};
                               },
                               "history offsets: entry 0"},
                    BadContent{"offsets fall",
                               [](Artifact& a) {
                                 a.histories.offsets = Longs{0, 6, 5, 5};
                               },
                               "falls from 6 to 5"},
                    BadContent{"offsets negative",
                               [](Artifact& a) {
                                 a.histories.offsets = Longs{0, -1, 5, 5};
                               },
                               "falls from 0 to -1"},
                    BadContent{"offsets past the end",
                               [](Artifact& a) {
                                 a.histories.offsets = Longs{0, 3, 5, 6};
                               },
                               "is 6 where there are 5"},
                    BadContent{"item negative",
                               [](Artifact& a) {
                                 a.histories.items = Ints{-1, 1, 3, 0, 2};
                               },
                               "entry 0 is -1"},
                    BadContent{"item too large",
                               [](Artifact& a) {
                                 a.histories.items = Ints{0, 1, 4, 0, 2};
                               },
                               "entry 2 is 4"},
                    BadContent{"item twice",
                               [](Artifact& a) {
                                 a.histories.items = Ints{0, 1, 1, 0, 2};
                               },
                               "entry 2 does not ascend"},
                    BadContent{"items short",
                               [](Artifact& a) {
                                 a.histories.items = Ints{0, 1, 3, 0};
                               },
                               "where there are 4"},
                    BadContent{"confidence zero",
                               [](Artifact& a) {
                                 a.histories.confidences = Floats{1, 0, 1, 1, 1};
                               },
                               "confidences: entry 1"},
                    BadContent{"confidence NaN",
                               [](Artifact& a) {
                                 a.histories.confidences = Floats{1, 1, kNan, 1, 1};
                               },
                               "confidences: entry 2"},
                    BadContent{"confidence infinite",
                               [](Artifact& a) {
                                 a.histories.confidences = Floats{1, 1, 1, 1, kInfinity};
                               },
                               "confidences: entry 4"},
                    BadContent{"confidences short", [](Artifact& a) { a.histories.confidences = Floats{1}; }, "confidences: 1 entries"},
                    BadContent{"target NaN",
                               [](Artifact& a) {
                                 a.histories.targets = Floats{1, 1, 1, kNan, 1};
                               },
                               "targets: entry 3"},
                    BadContent{"targets short", [](Artifact& a) { a.histories.targets = Floats{1}; }, "targets: 1 entries"},
                    BadContent{"consumed two",
                               [](Artifact& a) {
                                 a.histories.consumed = Bytes{1, 0, 2, 1, 1};
                               },
                               "consumed: entry 2 is 2"},
                    BadContent{"consumed short", [](Artifact& a) { a.histories.consumed = Bytes{}; }, "consumed: 0 entries"},
                    BadContent{"repurchase negative",
                               [](Artifact& a) {
                                 a.histories.repurchase = Floats{-1, 0, 0, 1, 1};
                               },
                               "repurchase: entry 0"},
                    BadContent{"link to no item",
                               [](Artifact& a) {
                                 a.content_links.items = Ints{1, 4, 3};
                               },
                               "link items: entry 1 is 4"},
                    BadContent{"links out of order",
                               [](Artifact& a) {
                                 a.content_links.items = Ints{3, 1, 3};
                               },
                               "entry 1 does not ascend"},
                    BadContent{"likeness zero",
                               [](Artifact& a) {
                                 a.content_links.likeness = std::vector<float>{0.5f, 0, 1};
                               },
                               "likeness: entry 1"},
                    BadContent{"likeness short", [](Artifact& a) { a.content_links.likeness = std::vector<float>{1}; },
                               "likeness: 1 entries"},
                    BadContent{"link offsets fall",
                               [](Artifact& a) {
                                 a.content_links.offsets = Longs{0, 2, 1, 3, 3};
                               },
                               "falls from 2 to 1"},
                    BadContent{"link offsets past the links",
                               [](Artifact& a) {
                                 a.content_links.offsets = Longs{0, 2, 2, 9, 9};
                               },
                               "offsets: entry 4 is 9 where there are 3"},
                    BadContent{"link offsets short of the links",
                               [](Artifact& a) {
                                 a.content_links.offsets = Longs{0, 1, 1, 1, 1};
                               },
                               "offsets: entry 4 is 1 where there are 3"},
                    BadContent{"links without offsets", [](Artifact& a) { a.content_links.offsets = Longs{}; }, "without offsets"},
                    BadContent{"spread short", [](Artifact& a) { a.content_links.spread = std::vector<float>{1}; }, "spread: 1 entries"},
                    BadContent{"spread infinite",
                               [](Artifact& a) {
                                 a.content_links.spread = std::vector<float>{1, 0, 0, INFINITY};
                               },
                               "spread: entry 3"},
                    BadContent{"counts short", [](Artifact& a) { a.histories.counts = Ints{1}; }, "history counts: 1 entries"},
                    BadContent{"count negative",
                               [](Artifact& a) {
                                 a.histories.counts = Ints{-1, 0, 0, 1, 1};
                               },
                               "history counts: entry 0"},
                    BadContent{"count without",
                               [](Artifact& a) {
                                 a.histories.counts = Ints{1, 1, 0, 1, 1};
                               },
                               "history counts: entry 1"},
                    BadContent{"repurchase without",
                               [](Artifact& a) {
                                 a.histories.repurchase = Floats{1, 1, 0, 1, 1};
                               },
                               "repurchase: entry 1"}));

INSTANTIATE_TEST_SUITE_P(
    Items, ArtifactContent,
    testing::Values(BadContent{"kind unknown",
                               [](Artifact& a) {
                                 a.catalog.kinds = Bytes{0, 1, 3, 0};
                               },
                               "kinds: entry 2 is 3"},
                    BadContent{"kinds short", [](Artifact& a) { a.catalog.kinds = Bytes{0}; }, "kinds: 1 entries"},
                    BadContent{"title offsets fall",
                               [](Artifact& a) {
                                 a.catalog.titles.offsets = Offsets{0, 9, 5, 14, 25};
                               },
                               "item titles: entry 2"},
                    BadContent{"title offsets past the end",
                               [](Artifact& a) {
                                 a.catalog.titles.offsets = Offsets{0, 9, 14, 14, 26};
                               },
                               "is 26 where"},
                    BadContent{"title offsets huge",
                               [](Artifact& a) {
                                 a.catalog.titles.offsets = Offsets{0, 9, 14, 14, UINT64_MAX};
                               },
                               "item titles"},
                    BadContent{"titles without offsets", [](Artifact& a) { a.catalog.titles.offsets = Offsets{}; }, "item titles"},
                    BadContent{"category rows", [](Artifact& a) { a.catalog.categories = string_column({"a"}); },
                               "item categories: 2 entries"},
                    BadContent{"popularity negative",
                               [](Artifact& a) {
                                 a.item_customers = Ints{0, 0, -1, 0};
                               },
                               "item customers: entry 2"},
                    BadContent{"popularity short", [](Artifact& a) { a.item_customers = Ints{0}; }, "item customers: 1 entries"},
                    BadContent{"partner itself",
                               [](Artifact& a) {
                                 a.co_purchases.partners = Ints{0, 2, 0, 0};
                               },
                               "partners: entry 0 is 0"},
                    BadContent{"partner unknown",
                               [](Artifact& a) {
                                 a.co_purchases.partners = Ints{1, 4, 0, 0};
                               },
                               "partners: entry 1 is 4"},
                    BadContent{"partner twice",
                               [](Artifact& a) {
                                 a.co_purchases.partners = Ints{1, 1, 0, 0};
                               },
                               "stands twice"},
                    BadContent{"partners out of order",
                               [](Artifact& a) {
                                 a.co_purchases.counts = Ints{1, 2, 2, 1};
                               },
                               "counts: entry 1"},
                    BadContent{"equal counts, falling index",
                               [](Artifact& a) {
                                 a.co_purchases.partners = Ints{2, 1, 0, 0};
                                 a.co_purchases.counts = Ints{1, 1, 2, 1};
                               },
                               "out of order"},
                    BadContent{"count zero",
                               [](Artifact& a) {
                                 a.co_purchases.counts = Ints{2, 0, 2, 1};
                               },
                               "counts: entry 1 is 0"},
                    BadContent{"more than its baskets",
                               [](Artifact& a) {
                                 a.co_purchases.counts = Ints{3, 1, 2, 1};
                               },
                               "counts: entry 0 is 3"},
                    BadContent{"more baskets than there are",
                               [](Artifact& a) {
                                 a.co_purchases.item_baskets = Ints{4, 2, 1, 0};
                               },
                               "is 4 of 3"},
                    BadContent{"co-purchase offsets",
                               [](Artifact& a) {
                                 a.co_purchases.offsets = Longs{0, 2, 3, 4, 5};
                               },
                               "is 5 where there are 4"},
                    BadContent{"partners without offsets", [](Artifact& a) { a.co_purchases.offsets = Longs{}; }, "without offsets"},
                    BadContent{"counts short", [](Artifact& a) { a.co_purchases.counts = Ints{2}; }, "counts: 1 entries"}));

}  // namespace
}  // namespace bouquet
