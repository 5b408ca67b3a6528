#include "server/grpc_listener.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "engine/errors.h"
#include "server/file_shares.h"

namespace bouquet::server {
namespace {

constexpr int32_t kMostConnectionsByDefault = 1024;

// The reflection library adds itself to every server; this takes it out again where it was not asked for.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; });
  }
};

void add_settings(grpc::ServerBuilder& builder, const GrpcListenerOptions& options) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, static_cast<int>(options.handshake_timeout.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 15 * 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 30000);
  // Messages are small: the window never limits, and measuring it costs a ping per exchange.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  grpc::ResourceQuota quota("bouquet");
  quota.Resize(static_cast<size_t>(options.max_memory_bytes));
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcListener>> GrpcListener::start(const ListenAddress& address, const std::vector<grpc::Service*>& services,
                                                                  const GrpcListenerOptions& options) {
  const int32_t most =
      options.max_connections > 0 ? options.max_connections : std::min(kMostConnectionsByDefault, file_shares().connections);
  auto acceptor = ConnectionAcceptor::listen(address, most);
  if (!acceptor.ok()) return acceptor.status();
  grpc::EnableDefaultHealthCheckService(true);
  // Debian's absl looks for lock-order cycles at every lock that gRPC takes, as a debug build would.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  if (!options.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
  add_settings(builder, options);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<GrpcListener> listener(new GrpcListener());
  listener->connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr) return no_resource("gRPC cannot serve on " + address.text + ": its log on stderr says why");
  listener->acceptor_ = *std::move(acceptor);
  listener->acceptor_->start(
      [connections = listener->connections_.get()](int listening, int connection) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters taken;
        taken.listener_fd = listening;
        taken.fd = connection;
        connections->HandleNewConnection(&taken);
      },
      options.connection_refused);
  listener->address_ = address.is_unix() ? address.text : address.host + ":" + std::to_string(listener->acceptor_->port());
  return listener;
}

void GrpcListener::set_healthy(bool healthy) {
  if (auto* health = server_->GetHealthCheckService(); health != nullptr) health->SetServingStatus(healthy);
}

void GrpcListener::drain(std::chrono::milliseconds grace) {
  acceptor_->stop();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
}

}  // namespace bouquet::server
