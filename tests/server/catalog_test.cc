// The Catalog service over gRPC: what it acknowledges is on disk and holds for every answer that begins afterwards.
#include <gmock/gmock.h>

#include <set>
#include <string>

#include "engine/catalog_columns_builder.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/catalog_store.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr int kItems = 40;

// Items cost 0, 1, .. 39; every even one is of brand "even".
TinyShop priced_shop() {
  TinyShop shop = random_shop(kItems, 10, 8, 5);
  std::vector<double> prices;
  std::vector<std::string> brands;
  for (int i = 0; i < kItems; ++i) {
    prices.push_back(i);
    brands.push_back(i % 2 == 0 ? "even" : "odd");
  }
  CatalogColumnsBuilder columns;
  columns.add_numbers("price", prices);
  columns.add_categories("brand", brands);
  shop.columns = columns.finish();
  for (int i = 1; i < 20; ++i) shop.baskets.insert(shop.baskets.end(), 3, {0, i});
  return shop;
}

class CatalogCalls : public TestServer {
 protected:
  void SetUp() override {
    publish(priced_shop());
    start_with_store();
  }
  void start_with_store() {
    TestServer::start_with_store();
    catalog_ = v1::Catalog::NewStub(channel());
    recommendations_ = stub();
  }
  void restart() {
    serving_.reset();
    start_with_store();
  }

  static v1::Item item(const std::string& id) {
    v1::Item out;
    out.set_item_id(id);
    return out;
  }
  grpc::Status upsert(const std::vector<v1::Item>& items, std::string request_id = {}, v1::UpsertItemsResponse* response = nullptr) {
    v1::UpsertItemsRequest request;
    request.set_request_id(request_id.empty() ? "r" + std::to_string(++requests_) : request_id);
    for (const v1::Item& one : items) *request.add_items() = one;
    grpc::ClientContext context;
    v1::UpsertItemsResponse own;
    return catalog_->UpsertItems(&context, request, response == nullptr ? &own : response);
  }
  grpc::Status remove(const std::vector<std::string>& ids) {
    v1::DeleteItemsRequest request;
    request.set_request_id("r" + std::to_string(++requests_));
    for (const std::string& id : ids) request.add_item_ids(id);
    grpc::ClientContext context;
    v1::DeleteItemsResponse response;
    return catalog_->DeleteItems(&context, request, &response);
  }
  grpc::Status get(const std::string& id, v1::Item* out) {
    v1::GetItemRequest request;
    request.set_item_id(id);
    grpc::ClientContext context;
    return catalog_->GetItem(&context, request, out);
  }
  std::vector<std::string> list(int page) {
    std::vector<std::string> ids;
    v1::ListItemsRequest request;
    request.set_page_size(page);
    do {
      grpc::ClientContext context;
      v1::ListItemsResponse response;
      EXPECT_TRUE(catalog_->ListItems(&context, request, &response).ok());
      EXPECT_LE(response.items_size(), page);
      for (const v1::Item& one : response.items()) ids.push_back(one.item_id());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }

  // The ids of the whole answer of each method: nothing else can be offered.
  std::set<std::string> recommended(const std::string& filter = "", const std::string& customer = "customer3") {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(1000);
    request.set_include_purchased(true);
    request.set_filter(filter);
    grpc::ClientContext context;
    v1::RecommendResponse response;
    status_ = recommendations_->Recommend(&context, request, &response);
    shortfall_.assign(response.shortfall().begin(), response.shortfall().end());
    std::set<std::string> ids;
    for (const auto& row : response.results()) ids.insert(row.item_id());
    return ids;
  }
  std::set<std::string> similar() {
    v1::SimilarItemsRequest request;
    request.set_item_id("item0");
    request.set_k(1000);
    grpc::ClientContext context;
    v1::SimilarItemsResponse response;
    EXPECT_TRUE(recommendations_->SimilarItems(&context, request, &response).ok());
    std::set<std::string> ids;
    for (const auto& row : response.results()) ids.insert(row.item_id());
    return ids;
  }
  std::set<std::string> cross_sold() {
    v1::CrossSellRequest request;
    request.add_item_ids("item0");
    request.set_k(1000);
    grpc::ClientContext context;
    v1::CrossSellResponse response;
    EXPECT_TRUE(recommendations_->CrossSell(&context, request, &response).ok());
    std::set<std::string> ids;
    for (const auto& row : response.results()) ids.insert(row.item().item_id());
    return ids;
  }
  void expect_offered(const std::string& id, bool offered) {
    EXPECT_EQ(recommended().contains(id), offered);
    EXPECT_EQ(recommended("", "stranger").contains(id), offered);
    EXPECT_EQ(similar().contains(id), offered);
    EXPECT_EQ(cross_sold().contains(id), offered);
  }
  std::vector<std::string> fields_of(const grpc::Status& status) {
    google::rpc::Status rich;
    google::rpc::BadRequest details;
    std::vector<std::string> fields;
    EXPECT_TRUE(rich.ParseFromString(status.error_details()) && rich.details_size() == 1 && rich.details(0).UnpackTo(&details));
    for (const auto& violation : details.field_violations()) fields.push_back(violation.field());
    return fields;
  }

  std::unique_ptr<v1::Catalog::Stub> catalog_;
  std::unique_ptr<v1::Recommendations::Stub> recommendations_;
  int requests_ = 0;
  grpc::Status status_;
  std::vector<int> shortfall_;
};

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

// A model that was trained with the attribute "colour" of items: red ones lie along the first axis, others against it.
class NewItems : public CatalogCalls {
 protected:
  void SetUp() override {
    auto directory = ModelsDirectory::open(models_);
    ASSERT_TRUE(directory.ok()) << directory.status();
    ASSERT_TRUE(directory->publish(coloured_shop(), true).ok());
    start_with_store();
  }
  static Artifact coloured_shop() {
    TinyShop shop;
    for (int i = 0; i < 6; ++i)
      shop.items.push_back({"item" + std::to_string(i), {i % 2 == 0 ? 1.0f : -1.0f, 0.1f * static_cast<float>(i)}});
    shop.customers = {{"red lover", {1, 0}}, {"red hater", {-1, 0}}};
    for (int i = 1; i < 6; ++i) shop.baskets.insert(shop.baskets.end(), 3, {0, i});
    Artifact artifact = shop.artifact();
    auto schema = AttributeSchema::make({{"colour", CategoryTransform{{"red"}}}});
    EXPECT_TRUE(schema.ok()) << schema.status();
    const int32_t columns = schema->column_count();  // red, any other, missing
    std::vector<int64_t> offsets(7, 0);
    artifact.item_attributes = {*schema, {columns, 0, {}, offsets, {}, {}}};
    artifact.model.item_prior = {0, std::vector<float>{9, 0, -9, 0, 0, 1, 0, 0}};
    artifact.model.constants = {0.1, 0.5, 0.5, 6, 2};
    artifact.recipe.options.dimension = 2;
    artifact.version.clear();
    return artifact;
  }
  static v1::Item coloured(const std::string& id, const std::string& colour) {
    v1::Item out = item(id);
    (*out.mutable_attributes())["colour"].set_text(colour);
    return out;
  }
  std::vector<std::string> best(const std::string& customer, int k, const std::string& filter = "") {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(k);
    request.set_filter(filter);
    grpc::ClientContext context;
    v1::RecommendResponse response;
    const grpc::Status status = recommendations_->Recommend(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::string> ids;
    for (const auto& row : response.results()) ids.push_back(row.item_id());
    return ids;
  }
};

TEST_F(NewItems, ArePlacedByTheirAttributesAndOfferedAtOnce) {
  EXPECT_THAT(best("red lover", 1), ElementsAre("item0"));
  v1::Item rose = coloured("rose", "red");
  rose.set_title("A rose");
  rose.set_price(3);
  ASSERT_TRUE(upsert({rose, coloured("violet", "blue")}).ok());
  EXPECT_THAT(best("red lover", 1), ElementsAre("rose"));
  EXPECT_THAT(best("red hater", 1), ElementsAre("violet"));
  EXPECT_THAT(best("red lover", 5, "price < 5"), ElementsAre("rose"));
  EXPECT_TRUE(similar().contains("rose"));
  EXPECT_TRUE(cross_sold().contains("rose"));
  v1::Item out;
  ASSERT_TRUE(get("rose", &out).ok());
  EXPECT_TRUE(out.in_model());
  EXPECT_THAT(list(100), ElementsAre("item0", "item1", "item2", "item3", "item4", "item5", "rose", "violet"));
  restart();
  EXPECT_THAT(best("red lover", 1), ElementsAre("rose"));
  EXPECT_THAT(best("red hater", 1), ElementsAre("violet"));
}

// `words` of items are weighted.
class WeightedWords : public NewItems {
 protected:
  void SetUp() override {
    Artifact artifact = coloured_shop();
    auto schema = AttributeSchema::make({{"colour", CategoryTransform{{"red"}}}, {"words", SetTransform{{"tea"}, true, {1, 1}}}});
    ASSERT_TRUE(schema.ok()) << schema.status();
    artifact.item_attributes.schema = *schema;
    artifact.item_attributes.table.column_count = schema->column_count();
    artifact.model.item_prior = {0, std::vector<float>{9, 0, -9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}};
    CatalogColumnsBuilder columns;
    columns.add_sets("words", std::vector<CatalogColumnsBuilder::Set>(6));
    artifact.catalog.columns = columns.finish();
    artifact.uncertainty = some_uncertainty(artifact.model);
    publish(std::move(artifact));
    start_with_store();
  }
};

TEST_F(WeightedWords, AreFoundByFiltersWithoutTheirWeights) {
  v1::Item tea = coloured("rose", "red"), known = item("item3");
  (*tea.mutable_attributes())["words"].set_text("tea:3|hot water:0.5");
  (*known.mutable_attributes())["words"].mutable_texts()->add_values("tea:1");
  ASSERT_TRUE(upsert({tea, known}).ok());
  EXPECT_THAT(best("red lover", 9, "words: ANY(\"tea\")"), UnorderedElementsAre("rose", "item3"));
  EXPECT_THAT(best("red lover", 9, "words: ANY(\"hot water\")"), ElementsAre("rose"));
  v1::Item out;  // as it was said, to be written again
  ASSERT_TRUE(get("rose", &out).ok());
  EXPECT_EQ(out.attributes().at("words").text(), "tea:3|hot water:0.5");
  ASSERT_TRUE(get("item3", &out).ok());
  EXPECT_THAT(out.attributes().at("words").texts().values(), ElementsAre("tea:1"));
  restart();
  EXPECT_THAT(best("red lover", 9, "words: ANY(\"tea\")"), UnorderedElementsAre("rose", "item3"));
}

TEST_F(WeightedWords, ANewItemsScoreHasADeviationToo) {
  ASSERT_TRUE(upsert({coloured("rose", "red")}).ok());
  v1::RecommendRequest request;
  request.mutable_visitor()->add_events()->set_item_id("item2");
  request.set_include_stddev(true);
  const v1::RecommendResponse response = recommend(request);
  ASSERT_GT(response.results_size(), 1);
  EXPECT_EQ(response.results(0).item_id(), "rose");
  for (const v1::RecommendedItem& row : response.results()) EXPECT_GT(row.stddev(), 0) << row.item_id();
}

TEST_F(NewItems, KeepLongTextsAndVectorsWhole) {
  v1::Item rose = coloured("rose", "red");
  const std::string description(60000, 'r');
  (*rose.mutable_attributes())["description"].set_text(description);
  (*rose.mutable_attributes())["picture"].mutable_vector()->add_values(0.5f);
  ASSERT_TRUE(upsert({rose}).ok());
  v1::Item out;
  ASSERT_TRUE(get("rose", &out).ok());
  EXPECT_EQ(out.attributes().at("description").text(), description);
  EXPECT_EQ(out.attributes().at("picture").vector().values(0), 0.5f);
  EXPECT_THAT(best("red lover", 9, "description = \"" + description.substr(0, 1024) + "\""), ElementsAre("rose"));
  (*rose.mutable_attributes())["description"].set_text(std::string(65537, 'r'));
  EXPECT_THAT(fields_of(upsert({rose})), ElementsAre("items[0].attributes[\"description\"]"));
}

TEST_F(NewItems, MoveWhenTheirAttributesDoAndGoWhenTheyAreDeletedOrSoldOut) {
  ASSERT_TRUE(upsert({coloured("rose", "red")}).ok());
  v1::Item rose = item("rose");
  rose.set_stock(0);
  ASSERT_TRUE(upsert({rose}).ok());
  EXPECT_THAT(best("red lover", 100), Not(Contains("rose")));
  rose = coloured("rose", "blue");
  rose.set_stock(5);
  ASSERT_TRUE(upsert({rose}).ok());
  EXPECT_THAT(best("red lover", 1), ElementsAre("item0"));
  EXPECT_THAT(best("red hater", 1), ElementsAre("rose"));
  ASSERT_TRUE(remove({"rose"}).ok());
  EXPECT_THAT(best("red hater", 100), Not(Contains("rose")));
  EXPECT_FALSE(similar().contains("rose"));
  rose = coloured("rose", "red");
  rose.set_new_generation(true);
  ASSERT_TRUE(upsert({rose}).ok());
  EXPECT_THAT(best("red lover", 1), ElementsAre("rose"));
}

TEST_F(NewItems, CountInTheHistoriesOfVisitors) {
  ASSERT_TRUE(upsert({coloured("rose", "red")}).ok());
  v1::RecommendRequest request;
  request.mutable_visitor()->add_events()->set_item_id("rose");
  request.set_k(1);
  grpc::ClientContext context;
  v1::RecommendResponse response;
  ASSERT_TRUE(recommendations_->Recommend(&context, request, &response).ok());
  EXPECT_EQ(response.events_used(), 1);
  EXPECT_THAT(response.results(0).item_id(), ::testing::AnyOf("item0", "item2", "item4"));  // the red ones
}

TEST_F(NewItems, WithUnknownAttributesAloneAreWhereTheModelExpectsAnyItem) {
  v1::Item odd = item("odd");
  (*odd.mutable_attributes())["weight"].set_number(3);
  (*odd.mutable_attributes())["colour"].mutable_vector()->add_values(1);  // none of its type: missing
  ASSERT_TRUE(upsert({odd}).ok());
  EXPECT_THAT(best("red lover", 100), Contains("odd"));
  EXPECT_THAT(best("red lover", 5, "weight = 3"), ElementsAre("odd"));
}

// The red items of coloured_shop() have events and the attribute; the others have events alone.
class NewItemsAlike : public NewItems {
 protected:
  void SetUp() override {
    auto directory = ModelsDirectory::open(models_);
    ASSERT_TRUE(directory.ok()) << directory.status();
    Artifact shop = coloured_shop();
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> columns;
    for (int32_t i = 0; i < 6; ++i) {
      columns.push_back(i % 2 == 0 ? 0 : 1);  // red, or any other colour
      offsets.push_back(i + 1);
    }
    shop.item_attributes.table = {shop.item_attributes.schema.column_count(), 0, {}, offsets, columns, std::vector<float>(6, 1)};
    // Both customers have taken item0 and item2; the others are taken by somebody too.
    shop.histories.offsets = std::vector<int64_t>{0, 2, 8};
    shop.histories.items = std::vector<int32_t>{0, 2, 0, 1, 2, 3, 4, 5};
    shop.histories.confidences = std::vector<float>(8, 1);
    shop.histories.consumed = std::vector<uint8_t>(8, 1);
    shop.histories.repurchase = std::vector<float>(8, 1);
    for (auto* counts : {&shop.histories.counts, &shop.histories.minutes}) *counts = {};
    for (auto* floats : {&shop.histories.targets, &shop.histories.given, &shop.histories.net}) *floats = {};
    shop.model.item_prior.map = std::vector<float>{0.5f, 0, 0.4f, 0, 0, 0, 0.1f, 0};  // a profile alone hardly tells colours apart
    shop.content_links.weight = 0.75;
    ASSERT_TRUE(directory->publish(shop, true).ok());
    start_with_store();
  }
  v1::RecommendResponse explained(const std::string& customer, int k) {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(k);
    request.set_explain(v1::EXPLAIN_FULL);
    grpc::ClientContext context;
    v1::RecommendResponse response;
    const grpc::Status status = recommendations_->Recommend(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static const v1::RecommendedItem* row_of(const v1::RecommendResponse& response, const std::string& id) {
    for (const v1::RecommendedItem& row : response.results())
      if (row.item_id() == id) return &row;
    return nullptr;
  }
};

TEST_F(NewItemsAlike, AreBlendedByTheirLikenessToTheHistoryAndExplained) {
  ASSERT_TRUE(upsert({coloured("rose", "red"), coloured("violet", "blue"), coloured("plain", "")}).ok());
  const auto check = [&] {
    const v1::RecommendResponse response = explained("red lover", 10);
    const v1::RecommendedItem *rose = row_of(response, "rose"), *violet = row_of(response, "violet");
    ASSERT_TRUE(rose != nullptr && violet != nullptr);
    EXPECT_GT(rose->score(), violet->score());
    for (const v1::RecommendedItem* row : {rose, violet}) {
      double sum = 0, content = 0;
      int rows = 0;
      for (const v1::Contribution& part : row->contributions()) {
        if (part.source() != v1::CONTRIBUTION_SOURCE_RETURN_LEAVE_ONE_OUT) sum += part.value();
        if (part.source() != v1::CONTRIBUTION_SOURCE_CONTENT) continue;
        content += part.value();
        rows += part.value() > 0 ? 1 : 0;
      }
      EXPECT_NEAR(sum, double{row->score()}, 1e-6);
      EXPECT_EQ(rows, row == rose ? 2 : 0);
      EXPECT_EQ(content > 0, row == rose);
    }
  };
  check();
  const float before = row_of(explained("red lover", 10), "rose")->score();
  // Another call: links of the first are kept.
  ASSERT_TRUE(upsert({coloured("poppy", "red")}).ok());
  const v1::RecommendResponse together = explained("red lover", 10);
  EXPECT_EQ(row_of(together, "rose")->score(), row_of(together, "poppy")->score());
  // Scores and likeness take two values each, one for red and one for blue: their deviations change by the same factor.
  EXPECT_NEAR(row_of(together, "rose")->score(), before, 1e-6);
  restart();
  EXPECT_EQ(bytes_without_name(explained("red lover", 10)), bytes_without_name(together));
  // What is not alike any more is not led to.
  ASSERT_TRUE(upsert({coloured("rose", "blue")}).ok());
  EXPECT_LT(row_of(explained("red lover", 10), "rose")->score(), row_of(explained("red lover", 10), "poppy")->score());
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
