#include "bench/benched_server.h"

#include <chrono>
#include <memory>
#include <utility>

namespace bouquet::bench {

absl::StatusOr<ForkedServer::Running> start_serving(const server::ServingOptions& options, const BackendChoice& choice,
                                                    const BackendFactory& backends) {
  auto backend = backends(choice);
  if (!backend.ok()) return backend.status();
  std::shared_ptr<Backend> shared_backend = *std::move(backend);
  auto serving = server::Serving::start(options, *shared_backend);
  if (!serving.ok()) return serving.status();
  std::shared_ptr<server::Serving> shared = *std::move(serving);
  return ForkedServer::Running{shared->address(), [shared_backend, shared] { shared->stop(); }};
}

void serve_locally(server::ServingOptions& options) {
  options.listen = "127.0.0.1:0";
  options.admin = options.admin_grpc = "";
  options.lame_duck = std::chrono::milliseconds(0);
}

}  // namespace bouquet::bench
