#include "server/client_channel.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

namespace bouquet::server {

absl::StatusOr<std::shared_ptr<grpc::Channel>> open_channel(const std::string& address, int32_t timeout_ms) {
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms)))
    return absl::UnavailableError("no server answered at '" + address + "' within " + std::to_string(timeout_ms) +
                                  " ms; is `bouquet serve` running and listening there?");
  return channel;
}

}  // namespace bouquet::server
