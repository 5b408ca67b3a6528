// One gRPC server with the settings that matter (docs/operations.md), made from services.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/call_messages.h"
#include "server/listen_address.h"

namespace bouquet::server {

struct GrpcListenerOptions {
  bool reflection = false;
  int32_t max_message_bytes = kMaxMessageBytes;
  int32_t max_streams_per_connection = 100;
  int64_t max_memory_bytes = 512 << 20;  // for connections and messages on their way: gRPC refuses more
};

class GrpcListener {
 public:
  // Listens and serves. `services` outlive the listener. Errors: ResourceExhausted (the port or socket is taken or not allowed).
  static absl::StatusOr<std::unique_ptr<GrpcListener>> start(const ListenAddress& address, const std::vector<grpc::Service*>& services,
                                                             const GrpcListenerOptions& options);

  // Where it listens: with the port that was chosen for port 0.
  const std::string& address() const { return address_; }

  // What grpc.health.v1.Health says of the whole server.
  void set_healthy(bool healthy);

  // Takes no new calls and returns when those that run have ended; after `grace` they are cancelled.
  void drain(std::chrono::milliseconds grace);

 private:
  GrpcListener() = default;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace bouquet::server
