// Between the engine's statuses and those of gRPC.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace bouquet::server {

// The codes are the same; payloads become google.rpc.Status details (a BadRequest stays one).
grpc::Status to_grpc(const absl::Status& status);
absl::Status from_grpc(const grpc::Status& status);

}  // namespace bouquet::server
