// A connection to a server, for the commands that ask one.
#pragma once

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace bouquet::server {

// To `address` (host:port or unix:PATH) within `timeout_ms`. Errors: Unavailable (nobody listens there).
absl::StatusOr<std::shared_ptr<grpc::Channel>> open_channel(const std::string& address, int32_t timeout_ms);

}  // namespace bouquet::server
