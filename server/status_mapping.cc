#include "server/status_mapping.h"

#include <string>

#include "engine/errors.h"
#include "google/rpc/status.pb.h"

namespace bouquet::server {

grpc::Status to_grpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(message_of(status));
  google::rpc::Status details;
  status.ForEachPayload([&](const auto& type, const absl::Cord& payload) {
    auto* detail = details.add_details();
    detail->set_type_url(std::string(type));
    detail->set_value(std::string(payload));
  });
  if (details.details().empty()) return {code, message};
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  return {code, message, details.SerializeAsString()};
}

absl::Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details()))
    for (const auto& detail : details.details()) result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return result;
}

}  // namespace bouquet::server
