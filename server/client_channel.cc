#include "server/client_channel.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "server/service_config.h"

namespace bouquet::server {

grpc::ChannelArguments client_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  return arguments;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> open_channel(const std::string& address, int32_t timeout_ms) {
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), client_arguments());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms)))
    return absl::UnavailableError("no server answered at '" + address + "' within " + std::to_string(timeout_ms) +
                                  " ms; is `bouquet serve` running and listening there?");
  return channel;
}

}  // namespace bouquet::server
