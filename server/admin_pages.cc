#include "server/admin_pages.h"

#include <httplib.h>
#include <sys/socket.h>

#include <utility>

#include "engine/errors.h"

namespace bouquet::server {

AdminPages::AdminPages() : server_(std::make_unique<httplib::Server>()) {}

AdminPages::~AdminPages() {
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<std::unique_ptr<AdminPages>> AdminPages::start(const ListenAddress& address, Sources sources) {
  if (address.is_unix()) return wrong_usage("--admin takes host:port, not a Unix socket");
  std::unique_ptr<AdminPages> pages(new AdminPages());
  httplib::Server& server = *pages->server_;
  server.new_task_queue = [] { return new httplib::ThreadPool(2); };
  server.set_payload_max_length(4096);
  server.set_keep_alive_max_count(100);
  server.set_read_timeout(5);
  server.set_write_timeout(5);
  // Only SO_REUSEADDR: httplib's own choice, SO_REUSEPORT, would let two servers share the port.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.Get("/metrics", [sources](const httplib::Request&, httplib::Response& response) {
    response.set_content(sources.metrics(), "text/plain; version=0.0.4");
  });
  server.Get("/healthz", [](const httplib::Request&, httplib::Response& response) { response.set_content("ok\n", "text/plain"); });
  server.Get("/readyz", [sources](const httplib::Request&, httplib::Response& response) {
    const std::string why = sources.not_ready();
    response.status = why.empty() ? 200 : 503;
    const std::string degraded = sources.degraded();
    const std::string ready = degraded.empty() ? "ready" : "degraded: " + degraded;
    response.set_content((why.empty() ? ready : why) + "\n", "text/plain");
  });
  std::string host = address.host;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  int port = address.port;
  const bool bound = port == 0 ? (port = server.bind_to_any_port(host)) > 0 : server.bind_to_port(host, port);
  if (!bound)
    return no_resource("cannot listen on " + address.text +
                       " for the admin pages: the port is taken or not allowed; choose another --admin");
  pages->address_ = address.host + ":" + std::to_string(port);
  pages->thread_ = std::thread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();  // stop() before that would be lost
  return pages;
}

}  // namespace bouquet::server
