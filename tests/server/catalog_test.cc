// The Catalog service over gRPC: what it acknowledges is on disk and holds for every answer that begins afterwards.
#include <gmock/gmock.h>

#include <set>
#include <string>

#include "server/catalog_store.h"
#include "tests/server/catalog_calls.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(CatalogCalls, StockAndAvailabilityHoldForEveryAnswerAtOnceAndAfterARestart) {
  expect_offered("item7", true);
  v1::Item seven = item("item7");
  seven.set_stock(0);
  ASSERT_TRUE(upsert({seven}).ok());
  expect_offered("item7", false);
  EXPECT_THAT(shortfall_, Contains(v1::SHORTFALL_FILTERED));
  restart();
  expect_offered("item7", false);
  seven.set_stock(3);
  ASSERT_TRUE(upsert({seven}).ok());
  expect_offered("item7", true);
  seven.Clear();
  seven.set_item_id("item7");
  seven.set_available(false);
  ASSERT_TRUE(upsert({seven}).ok());
  expect_offered("item7", false);
  v1::Item known;
  ASSERT_TRUE(get("item7", &known).ok());
  EXPECT_EQ(known.stock(), 3);  // what is not set stays
  EXPECT_EQ(known.price(), 7);
  EXPECT_TRUE(known.in_model());
}

TEST_F(CatalogCalls, PricesAndNewAttributesHoldForFilters) {
  EXPECT_THAT(recommended("price < 2"), UnorderedElementsAre("item0", "item1"));
  EXPECT_THAT(shortfall_, Contains(v1::SHORTFALL_FILTERED));
  recommended("organic = true");
  EXPECT_EQ(status_.error_message(), "filter: column 1: the items have no attribute 'organic'; the nearest is 'brand'");
  v1::Item one = item("item1"), nine = item("item9");
  one.set_price(10);
  nine.set_price(1.5);
  (*nine.mutable_attributes())["organic"].set_flag(true);
  (*nine.mutable_attributes())["brand"].set_text("nine & sons");
  ASSERT_TRUE(upsert({one, nine}).ok());
  EXPECT_THAT(recommended("price < 2"), UnorderedElementsAre("item0", "item9"));
  EXPECT_THAT(recommended("organic = true"), UnorderedElementsAre("item9"));
  EXPECT_THAT(recommended("brand = \"nine & sons\" OR price = 10"), UnorderedElementsAre("item1", "item9", "item10"));
  restart();
  EXPECT_THAT(recommended("organic = true AND price < 2"), UnorderedElementsAre("item9"));
}

TEST_F(CatalogCalls, FiltersThatCannotBeUnderstoodNameFieldAndColumn) {
  recommended("price <");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status_.error_message(), HasSubstr("filter: column 8"));
  EXPECT_THAT(fields_of(status_), ElementsAre("filter"));
  recommended("prise < 3");
  EXPECT_EQ(status_.error_message(), "filter: column 1: the items have no attribute 'prise'; the nearest is 'price'");
}

TEST_F(CatalogCalls, DeletedItemsAreNeverOfferedAndComeBackAsOthersAlone) {
  ASSERT_TRUE(remove({"item5", "nobody knows"}).ok());
  expect_offered("item5", false);
  v1::Item out;
  EXPECT_EQ(get("item5", &out).error_code(), grpc::StatusCode::NOT_FOUND);
  restart();
  expect_offered("item5", false);
  const grpc::Status refused = upsert({item("item4"), item("item5")});
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(refused), ElementsAre("items[1].new_generation"));
  v1::Item again = item("item5");
  again.set_new_generation(true);
  again.set_title("Another");
  ASSERT_TRUE(upsert({again}).ok());
  ASSERT_TRUE(get("item5", &out).ok());
  EXPECT_EQ(out.title(), "Another");
  EXPECT_FALSE(out.has_price());  // that was the old one's
  publish(priced_shop());         // a model of today knows the new one
  restart();
  expect_offered("item5", true);
}

TEST_F(CatalogCalls, ANewModelTakesOverWhatWasSaid) {
  v1::Item seven = item("item7");
  seven.set_available(false);
  ASSERT_TRUE(upsert({seven, item("unheard of")}).ok());
  TinyShop shop = priced_shop();
  shop.items[3].id = "unheard of";
  const std::string version = publish(shop);
  while (serving_->models().serving()->model->version() != version) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  expect_offered("item7", false);
  expect_offered("unheard of", true);
  v1::Item out;
  ASSERT_TRUE(get("unheard of", &out).ok());
  EXPECT_TRUE(out.in_model());
}

TEST_F(CatalogCalls, ARepeatedRequestChangesNothing) {
  v1::Item seven = item("item7");
  seven.set_price(1);
  v1::UpsertItemsResponse response;
  ASSERT_TRUE(upsert({seven}, "once", &response).ok());
  EXPECT_FALSE(response.repeated_request());
  seven.set_price(2);
  ASSERT_TRUE(upsert({seven}, "twice").ok());
  restart();
  seven.set_price(1);
  ASSERT_TRUE(upsert({seven}, "once", &response).ok());
  EXPECT_TRUE(response.repeated_request());
  v1::Item out;
  ASSERT_TRUE(get("item7", &out).ok());
  EXPECT_EQ(out.price(), 2);
}

TEST_F(CatalogCalls, ListsEveryItemOnceInOrderWhateverThePage) {
  std::set<std::string> wanted;
  for (int i = 0; i < kItems; ++i) wanted.insert("item" + std::to_string(i));
  const std::vector<v1::Item> news = {item("a"), item("item1x"), item("zz")};
  ASSERT_TRUE(upsert(news).ok());
  ASSERT_TRUE(remove({"item20", "zz"}).ok());
  wanted.insert({"a", "item1x"});
  wanted.erase("item20");
  const std::vector<std::string> all(wanted.begin(), wanted.end());
  for (const int page : {1, 2, 7, 41, 42, 1000}) EXPECT_EQ(list(page), all) << page;
}

TEST_F(CatalogCalls, MistakesAreNamedAndChangeNothing) {
  v1::Item wrong = item("item3");
  wrong.set_price(-1);
  (*wrong.mutable_attributes())["price"].set_number(3);
  (*wrong.mutable_attributes())["nan"].set_number(std::numeric_limits<double>::quiet_NaN());
  wrong.set_title(std::string(1025, 'x'));
  EXPECT_THAT(fields_of(upsert({item("item2"), wrong})),
              UnorderedElementsAre("items[1].title", "items[1].attributes[\"price\"]", "items[1].attributes[\"nan\"]"));
  v1::Item other_type = item("item3");
  other_type.set_price(99);
  (*other_type.mutable_attributes())["brand"].mutable_texts()->add_values("x");
  const grpc::Status refused = upsert({other_type});
  EXPECT_THAT(refused.error_message(), HasSubstr("is of type set; the catalog has it as category"));
  EXPECT_THAT(fields_of(upsert({item(""), item("x"), item("x")})), UnorderedElementsAre("items[0].item_id", "items[2]"));
  EXPECT_EQ(upsert({}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(upsert(std::vector<v1::Item>(1001, item("x"))).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::Item out;
  ASSERT_TRUE(get("item3", &out).ok());
  EXPECT_EQ(out.price(), 3);
  EXPECT_EQ(get("x", &out).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(CatalogCalls, WithoutAStoreNothingChangesAndTheModelCanBeRead) {
  serving_.reset();
  start(options());
  catalog_ = v1::Catalog::NewStub(channel());
  const grpc::Status refused = upsert({item("item3")});
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("--store"));
  v1::Item out;
  ASSERT_TRUE(get("item3", &out).ok());
  EXPECT_EQ(out.price(), 3);
  EXPECT_EQ(list(7).size(), size_t{kItems});
}

TEST_F(CatalogCalls, AStoreBelongsToOneServer) {
  ServingOptions second = options();
  second.listen = "unix:" + folder_.path() + "/second";
  second.admin_grpc = "";
  second.store = folder_.path() + "/store";
  const auto refused = Serving::start(second, *backend_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--store " + folder_.path()));
}

TEST(CatalogStore, ForgetsTheOldestRequests) {
  const TemporaryFolder folder;
  const auto database = StoreDatabase::open(folder.path() + "/store");
  ASSERT_TRUE(database.ok()) << database.status();
  auto store = CatalogStore::open(**database);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->write("a", {}).ok());
  ASSERT_TRUE((*store)->write("b", {}).ok());
  EXPECT_TRUE(*(*store)->knows("a"));
  store = CatalogStore::open(**database, 2);
  ASSERT_TRUE((*store)->write("c", {}).ok());
  EXPECT_FALSE(*(*store)->knows("a"));
  EXPECT_TRUE(*(*store)->knows("b"));
  EXPECT_TRUE(*(*store)->knows("c"));
}

}  // namespace
}  // namespace bouquet::server
