#include "server/live_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/item_filter.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<CatalogColumn> kColumns = {{"price", AttributeType::kNumber}, {"brand", AttributeType::kCategory}};
constexpr KindSet kProducts = 1 << static_cast<int>(ItemKind::kProduct);

std::vector<ItemIndex> items(const LiveCatalog& catalog, const std::string& filter, int64_t count, KindSet kinds = kAllKinds) {
  const auto selection = catalog.select(kinds, filter);
  EXPECT_TRUE(selection.ok()) << selection.status();
  std::vector<ItemIndex> out;
  for (ItemIndex i = 0; i < count; ++i)
    if (selection.ok() && selection->allows(i)) out.push_back(i);
  return out;
}

CatalogItem item(double price, const std::string& brand = "") {
  CatalogItem out;
  out.attributes["price"] = price;
  if (!brand.empty()) out.attributes["brand"] = brand;
  return out;
}

TEST(LiveCatalog, GoesByTheLastChangeAtOnce) {
  const std::vector<CatalogItem> base = {item(1, "a"), item(2, "b"), item(3, "a")};
  const Catalog catalog = catalog_of(base, kColumns);
  LiveCatalog live(catalog, 3);
  EXPECT_TRUE(live.select(kAllKinds, "")->bitmap.words.empty());
  EXPECT_THAT(items(live, "price < 3", 3), ElementsAre(0, 1));
  live.apply({{0, item(30, "a")}, {2, item(0.5, "a")}}, {});
  EXPECT_THAT(items(live, "price < 3", 3), ElementsAre(1, 2));
  live.apply({{0, item(2.5, "z")}}, {});
  EXPECT_THAT(items(live, "price < 3", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(items(live, "brand = \"z\"", 3), ElementsAre(0));
  live.apply({{1, std::nullopt}}, {});
  EXPECT_THAT(items(live, "", 3), ElementsAre(0, 2));
  EXPECT_FALSE(live.item(1));
  EXPECT_EQ(std::get<double>(live.item(0)->attributes.at("price")), 2.5);
  CatalogItem content = item(1);
  content.kind = ItemKind::kContent;
  content.title = "Read me";
  live.apply({{2, content}}, {});
  EXPECT_THAT(items(live, "", 3, kProducts), ElementsAre(0));
  live.describe(2, [](ItemKind kind, std::string_view title, std::string_view) {
    EXPECT_EQ(kind, ItemKind::kContent);
    EXPECT_EQ(title, "Read me");
  });
}

TEST(LiveCatalog, LearnsNewAttributes) {
  const std::vector<CatalogItem> base = {item(1), item(2)};
  const Catalog catalog = catalog_of(base, kColumns);
  LiveCatalog live(catalog, 2);
  EXPECT_FALSE(live.select(kAllKinds, "organic = true").ok());
  CatalogItem organic = item(1);
  organic.attributes["organic"] = true;
  live.apply({{1, organic}}, std::vector<CatalogColumn>{{"organic", AttributeType::kFlag}});
  EXPECT_THAT(items(live, "organic = true", 2), ElementsAre(1));
  EXPECT_THAT(items(live, "NOT organic = true", 2), IsEmpty());  // of item 0 it is unknown
  live.apply({{0, item(5)}}, {});
  EXPECT_THAT(items(live, "organic = true OR price = 5", 2), ElementsAre(0, 1));
  EXPECT_EQ(live.select(kAllKinds, "organik = true").status().message(),
            "column 1: the items have no attribute 'organik'; the nearest is 'organic'");
}

TEST(LiveCatalog, OffersWhatIsAvailableNow) {
  CatalogItem sold_out, off, soon, over;
  sold_out.attributes["stock"] = 0.0;
  off.attributes["available"] = false;
  soon.attributes["available_from"] = std::string("2026-01-02T00:00:00Z");
  over.attributes["available_until"] = std::string("2026-01-01T12:00:00Z");
  const std::vector<CatalogItem> base = {CatalogItem{}, sold_out, off, soon, over};
  const Catalog catalog = catalog_of(base, std::vector<CatalogColumn>{{"stock", AttributeType::kNumber},
                                                                      {"available", AttributeType::kFlag},
                                                                      {"available_from", AttributeType::kCategory},
                                                                      {"available_until", AttributeType::kCategory}});
  absl::Time now = absl::FromCivil(absl::CivilSecond(2026, 1, 1, 11, 59, 59), absl::UTCTimeZone());
  LiveCatalog live(catalog, 5, [&now] { return now; });
  EXPECT_THAT(items(live, "", 5), ElementsAre(0, 4));
  now += absl::Seconds(1);
  EXPECT_THAT(items(live, "", 5), ElementsAre(0));
  EXPECT_THAT(items(live, "available_until < \"2027\"", 5), IsEmpty());
  now += absl::Hours(12);
  EXPECT_THAT(items(live, "", 5), ElementsAre(0, 3));
  sold_out.attributes["stock"] = 2.0;
  over.attributes["available_until"] = std::string("2026-01-03T00:00:00Z");
  live.apply({{1, sold_out}, {4, over}}, {});
  EXPECT_THAT(items(live, "", 5), ElementsAre(0, 1, 3, 4));
  now += absl::Hours(24);
  EXPECT_THAT(items(live, "", 5), ElementsAre(0, 1, 3));
}

// Against a catalog made anew of everything after each of many changes, so that layers are merged in many shapes.
TEST(LiveCatalog, AnswersAsACatalogMadeAnewWould) {
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto any_item = [&] {
    CatalogItem out = item(below(5), std::string(1, static_cast<char>('a' + below(4))));
    out.kind = static_cast<ItemKind>(below(3));
    if (below(3) == 0) out.attributes.erase("price");
    if (below(2) == 0) out.attributes["tags"] = std::vector<std::string>{std::string(1, static_cast<char>('x' + below(3)))};
    if (below(4) == 0) out.attributes["stock"] = static_cast<double>(below(2));
    return out;
  };
  constexpr int kItems = 130;
  std::vector<CatalogItem> base;
  for (int i = 0; i < kItems; ++i) base.push_back(any_item());
  const std::vector<CatalogColumn> added = {{"tags", AttributeType::kSet}, {"stock", AttributeType::kNumber}};
  std::vector<CatalogColumn> all = kColumns;
  all.insert(all.end(), added.begin(), added.end());
  const Catalog catalog = catalog_of(base, kColumns);
  LiveCatalog live(catalog, kItems);
  std::vector<CatalogItem> now;  // the base knows no tags and no stock
  for (int i = 0; i < kItems; ++i) now.push_back(item_at(catalog, kItems, i));
  std::vector<uint8_t> deleted(kItems);
  for (int change = 0; change < 150; ++change) {
    std::vector<ItemChange> changes;
    for (int i = 0; i < kItems; ++i) {
      if (below(kItems) >= (change % 7 == 0 ? 40 : 2)) continue;
      deleted[static_cast<size_t>(i)] = below(8) == 0;
      now[static_cast<size_t>(i)] = any_item();
      changes.push_back({i, deleted[static_cast<size_t>(i)] != 0 ? std::optional<CatalogItem>() : now[static_cast<size_t>(i)]});
    }
    live.apply(changes, added);
    if (changes.empty()) continue;
    const Catalog anew = catalog_of(now, all);
    for (const char* filter : {"price < 3", "NOT brand = \"a\" AND price >= 1", "tags: ANY(\"x\", \"y\") OR brand > \"b\"", "NOT stock = 1",
                               "kind = \"CONTENT\" OR price = 2"}) {
      const auto passing = items_passing(filter, anew, kItems);
      ASSERT_TRUE(passing.ok()) << passing.status();
      const Availability available = availability(anew, kItems, "2026-01-01T00:00:00Z");
      for (const KindSet kinds : {kAllKinds, kProducts}) {
        std::vector<ItemIndex> wanted;
        for (int i = 0; i < kItems; ++i)
          if (deleted[static_cast<size_t>(i)] == 0 && BitmapView{*passing}.test(i) && BitmapView{available.bitmap}.test(i) &&
              (kinds == kAllKinds || now[static_cast<size_t>(i)].kind == ItemKind::kProduct))
            wanted.push_back(i);
        ASSERT_EQ(items(live, filter, kItems, kinds), wanted) << filter << " after change " << change;
      }
    }
  }
}

}  // namespace
}  // namespace bouquet::server
