// The admin port: plain HTTP for Prometheus, load balancers and curl. Loopback unless told otherwise.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/listen_address.h"

namespace httplib {
class Server;
}

namespace bouquet::server {

class AdminPages {
 public:
  struct Sources {
    std::function<std::string()> metrics;  // text for Prometheus
    // Empty when the server can answer; else why not. Called from the pages' threads.
    std::function<std::string()> not_ready;
    std::function<std::string()> degraded;  // why answers are slower than they should be; else empty
  };

  // Serves /metrics, /healthz (200 while the process lives) and /readyz (200, which says why where the server is degraded, or 503 with the
  // reason). Errors: ResourceExhausted (the port is taken), InvalidArgument (a Unix socket).
  static absl::StatusOr<std::unique_ptr<AdminPages>> start(const ListenAddress& address, Sources sources);
  ~AdminPages();

  const std::string& address() const { return address_; }

 private:
  AdminPages();
  std::unique_ptr<httplib::Server> server_;
  std::string address_;
  std::thread thread_;
};

}  // namespace bouquet::server
