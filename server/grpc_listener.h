// One gRPC server with the settings that matter (docs/operations.md), made from services. Connections come from an acceptor of our own.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/call_messages.h"
#include "server/connection_acceptor.h"
#include "server/listen_address.h"

namespace bouquet::server {

struct GrpcListenerOptions {
  bool reflection = false;
  int32_t max_message_bytes = kMaxMessageBytes;
  int32_t max_streams_per_connection = 64;            // one that stands still takes 12 to 20 KB
  int32_t max_connections = 0;                        // more are closed at once; 0: 1024, or fewer as the limit on open files has it
  std::chrono::milliseconds handshake_timeout{5000};  // a connection that has said nothing by then is closed
  int64_t max_memory_bytes = 512 << 20;               // for connections and messages on their way: gRPC refuses more
  ConnectionAcceptor::Refused connection_refused = {};
};

class GrpcListener {
 public:
  // Listens and serves. `services` outlive the listener. Errors: those of ConnectionAcceptor::listen.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> start(const ListenAddress& address, const std::vector<grpc::Service*>& services,
                                                             const GrpcListenerOptions& options);

  // Where it listens: with the port that was chosen for port 0.
  const std::string& address() const { return address_; }

  // What grpc.health.v1.Health says of the whole server.
  void set_healthy(bool healthy);

  // Takes no new connections and calls, and returns when those that run have ended; after `grace` they are cancelled. gRPC closes a
  // connection with its last answer. A client of gRPC's that writes a frame of its own just then drops what it has not read yet, and calls
  // it UNAVAILABLE though it was answered: rare, and only where calls share a connection. Clients retry (docs/api.md).
  void drain(std::chrono::milliseconds grace);

 private:
  GrpcListener() = default;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;  // into server_
  std::unique_ptr<ConnectionAcceptor> acceptor_;                                 // for connections_: ends before them
  std::string address_;
};

}  // namespace bouquet::server
