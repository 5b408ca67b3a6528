// Takes the connections of a server and hands them on, up to a bound. A listener of gRPC's own takes as many as come, and gives up its port
// for good at the first one for which the process has no file descriptor left.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/listen_address.h"

namespace bouquet::server {

class ConnectionAcceptor {
 public:
  // Takes over the connection, which does not block; it closes it sooner or later.
  using HandOver = std::function<void(int listener, int connection)>;
  // A connection was closed because there are as many as there may be.
  using Refused = std::function<void()>;

  // Listens on every address of the host; nothing is taken before start(). Errors: ResourceExhausted (the address is taken, unknown or not
  // allowed).
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> listen(const ListenAddress& address, int32_t max_connections);
  // As stop().
  ~ConnectionAcceptor();
  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

  // Both are called from a thread of the acceptor's own.
  void start(HandOver hand_over, Refused refused = {});
  // Listens no longer: whoever comes now is refused by the system. Those that were handed over stay.
  void stop();

  // The one that was chosen for port 0; 0 of a Unix socket.
  int32_t port() const { return port_; }

 private:
  // A socket that somebody else closes: its number may be another file's by now, whose inode is then another.
  struct Connection {
    int fd;
    ino_t inode;
  };

  explicit ConnectionAcceptor(int32_t max_connections) : max_connections_(max_connections) {}
  absl::Status listen_on(const ListenAddress& address);
  absl::Status add_listener(int fd, const void* address, uint32_t length);
  void run();
  void take_all(int listener);
  bool has_room();
  void shed_without_descriptors(int listener);

  const int32_t max_connections_;
  HandOver hand_over_;
  Refused refused_;
  std::vector<int> listeners_;
  std::string unix_path_;
  int32_t port_ = 0;
  int wake_ = -1;                 // an eventfd: stop() writes to it
  int spare_ = -1;                // a descriptor to give up when there is no other, so that a connection can be taken and closed
  std::vector<Connection> open_;  // as of counted_at_, and those taken since
  std::chrono::steady_clock::time_point counted_at_{};
  std::thread thread_;
};

}  // namespace bouquet::server
