// bouquet.v1.Models: which version serves. Served on the admin listener alone.
#pragma once

#include <grpcpp/server_context.h>

#include "bouquet/v1/models.grpc.pb.h"
#include "server/served_models.h"

namespace bouquet::server {

// Thread-safe: synchronous calls, which may take as long as loading a model.
class ModelsService final : public v1::Models::Service {
 public:
  // `models` outlives the service.
  explicit ModelsService(ServedModels& models) : models_(models) {}

  grpc::Status ListModels(grpc::ServerContext* context, const v1::ListModelsRequest* request, v1::ListModelsResponse* response) override;
  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request, v1::Model* response) override;
  grpc::Status ActivateModel(grpc::ServerContext* context, const v1::ActivateModelRequest* request,
                             v1::ActivateModelResponse* response) override;
  grpc::Status RollBack(grpc::ServerContext* context, const v1::RollBackRequest* request, v1::RollBackResponse* response) override;

 private:
  ServedModels& models_;
};

}  // namespace bouquet::server
