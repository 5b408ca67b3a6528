// A server whose items change through the Catalog service, and everything that it may offer.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/catalog_columns_builder.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/server/test_server.h"

namespace bouquet::server {

inline constexpr int kItems = 40;

// Items cost 0, 1, .. 39; every even one is of brand "even".
inline TinyShop priced_shop() {
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

}  // namespace bouquet::server
