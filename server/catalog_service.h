// bouquet.v1.Catalog: items that change while the server runs.
#pragma once

#include <grpcpp/server_context.h>

#include "bouquet/v1/catalog.grpc.pb.h"
#include "server/item_catalog.h"
#include "server/served_models.h"

namespace bouquet::server {

// Thread-safe: synchronous calls, which wait for the disk.
class CatalogService final : public v1::Catalog::Service {
 public:
  // Both outlive the service.
  CatalogService(ItemCatalog& items, ServedModels& models) : items_(items), models_(models) {}

  grpc::Status UpsertItems(grpc::ServerContext* context, const v1::UpsertItemsRequest* request, v1::UpsertItemsResponse* response) override;
  grpc::Status DeleteItems(grpc::ServerContext* context, const v1::DeleteItemsRequest* request, v1::DeleteItemsResponse* response) override;
  grpc::Status GetItem(grpc::ServerContext* context, const v1::GetItemRequest* request, v1::Item* response) override;
  grpc::Status ListItems(grpc::ServerContext* context, const v1::ListItemsRequest* request, v1::ListItemsResponse* response) override;

 private:
  std::shared_ptr<const ServedModel> model() const;

  ItemCatalog& items_;
  ServedModels& models_;
};

}  // namespace bouquet::server
