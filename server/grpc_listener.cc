#include "server/grpc_listener.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/synchronization/mutex.h"
#include "engine/errors.h"

namespace bouquet::server {
namespace {

// The reflection library adds itself to every server; this takes it out again where it was not asked for.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; });
  }
};

// Whether a server answers at the socket: gRPC would take the path away from it.
bool somebody_listens(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const bool answered = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return answered;
}

void add_settings(grpc::ServerBuilder& builder, const GrpcListenerOptions& options) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 15 * 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 30000);
  // Messages are small: the window never limits, and measuring it costs a ping per exchange.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Two servers on one port would each get half of the calls: the second must fail instead.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("bouquet");
  quota.Resize(static_cast<size_t>(options.max_memory_bytes));
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcListener>> GrpcListener::start(const ListenAddress& address, const std::vector<grpc::Service*>& services,
                                                                  const GrpcListenerOptions& options) {
  const absl::Status taken =
      no_resource("cannot listen on " + address.text +
                  ": the address is taken by another program, not one of this machine, or not allowed; choose another");
  if (address.is_unix() && somebody_listens(address.unix_path)) return taken;
  grpc::EnableDefaultHealthCheckService(true);
  // Debian's absl looks for lock-order cycles at every lock that gRPC takes, as a debug build would.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  if (!options.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
  add_settings(builder, options);
  for (grpc::Service* service : services) builder.RegisterService(service);
  int port = -1;
  builder.AddListeningPort(address.text, grpc::InsecureServerCredentials(), &port);
  std::unique_ptr<GrpcListener> listener(new GrpcListener());
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr || (!address.is_unix() && port <= 0)) return taken;
  listener->address_ = address.is_unix() ? address.text : address.host + ":" + std::to_string(port);
  return listener;
}

void GrpcListener::set_healthy(bool healthy) {
  if (auto* health = server_->GetHealthCheckService(); health != nullptr) health->SetServingStatus(healthy);
}

void GrpcListener::drain(std::chrono::milliseconds grace) { server_->Shutdown(std::chrono::system_clock::now() + grace); }

}  // namespace bouquet::server
