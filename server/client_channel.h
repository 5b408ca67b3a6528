// A connection to a server, for the commands that ask one. Calls on it are tried again as service_config.h says.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace bouquet::server {

// With the service configuration, and a look after 0.1 s and not only after 1 s for a server that is being restarted.
grpc::ChannelArguments client_arguments();

// To `address` (host:port, unix:PATH, or what else gRPC takes: ipv4:A:PORT,B:PORT for several servers) within `timeout_ms`. Errors:
// Unavailable (nobody listens there).
absl::StatusOr<std::shared_ptr<grpc::Channel>> open_channel(const std::string& address, int32_t timeout_ms);

}  // namespace bouquet::server
