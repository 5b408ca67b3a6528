// Items that come to a running model: placed by their attributes, offered at once, found by filters.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "engine/catalog_columns_builder.h"
#include "tests/server/catalog_calls.h"

namespace bouquet::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

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

}  // namespace
}  // namespace bouquet::server
