#include "server/catalog_service.h"

#include "engine/errors.h"
#include "server/call_messages.h"
#include "server/catalog_limits.h"
#include "server/log.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

template <typename Request>
absl::Status check(const Request& request) {
  const absl::Status size = check_size(request.ByteSizeLong());
  return size.ok() ? validate(request) : size;
}

}  // namespace

std::shared_ptr<const ServedModel> CatalogService::model() const {
  const auto serving = models_.own().serving();
  return serving == nullptr ? nullptr : serving->model;
}

grpc::Status CatalogService::UpsertItems(grpc::ServerContext*, const v1::UpsertItemsRequest* request, v1::UpsertItemsResponse* response) {
  if (absl::Status s = check(*request); !s.ok()) return to_grpc(s);
  const auto repeated = items_.upsert(*request);
  if (!repeated.ok()) return to_grpc(repeated.status());
  response->set_repeated_request(*repeated);
  if (*repeated || request->validate_only()) return grpc::Status::OK;
  models_.for_each([&](ModelStore& store) {
    const auto serving = store.serving();
    if (serving == nullptr || !ItemCatalog::concerns_places(*request, *serving->model)) return;
    // The items are kept whatever comes of it, so the call has done what it was asked for.
    if (absl::Status s = store.prepare_again(); !s.ok())
      log_event(LogLevel::kError, "items.not_placed", {{"why", std::string(message_of(s))}});
  });
  return grpc::Status::OK;
}

grpc::Status CatalogService::DeleteItems(grpc::ServerContext*, const v1::DeleteItemsRequest* request, v1::DeleteItemsResponse* response) {
  if (absl::Status s = check(*request); !s.ok()) return to_grpc(s);
  const auto repeated = items_.remove(*request);
  if (!repeated.ok()) return to_grpc(repeated.status());
  response->set_repeated_request(*repeated);
  return grpc::Status::OK;
}

grpc::Status CatalogService::GetItem(grpc::ServerContext*, const v1::GetItemRequest* request, v1::Item* response) {
  if (absl::Status s = check(*request); !s.ok()) return to_grpc(s);
  return to_grpc(items_.get(*request, model().get(), response));
}

grpc::Status CatalogService::ListItems(grpc::ServerContext*, const v1::ListItemsRequest* request, v1::ListItemsResponse* response) {
  if (absl::Status s = check(*request); !s.ok()) return to_grpc(s);
  return to_grpc(items_.list(*request, model(), response));
}

}  // namespace bouquet::server
