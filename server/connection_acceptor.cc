#include "server/connection_acceptor.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

constexpr int kBacklog = 1024;
constexpr auto kCountAgain = std::chrono::milliseconds(10);  // at most this often: looking at every connection is not free
constexpr unsigned kUserTimeoutMs = 10000;                   // a peer that has acknowledged nothing for so long is gone

void close_if_open(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

int open_spare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Accepted sockets inherit these. No SO_REUSEPORT: two servers on one port would each get half of the calls; the second must fail instead.
void set_options(int fd, int family) {
  const int yes = 1, no = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (family == AF_UNIX) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

// Whether a server answers at the socket: then the path is not ours to take.
bool somebody_listens(const sockaddr_un& address) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close_if_open(fd);
  return answered;
}

int32_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

void set_port(addrinfo& address, int32_t port) {
  if (address.ai_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(address.ai_addr)->sin6_port = htons(static_cast<uint16_t>(port));
  if (address.ai_family == AF_INET) reinterpret_cast<sockaddr_in*>(address.ai_addr)->sin_port = htons(static_cast<uint16_t>(port));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::listen(const ListenAddress& address, int32_t max_connections) {
  std::unique_ptr<ConnectionAcceptor> acceptor(new ConnectionAcceptor(max_connections));
  if (absl::Status s = acceptor->listen_on(address); !s.ok())
    return no_resource("cannot listen on " + address.text + ": " + std::string(message_of(s)) +
                       ": the address is taken by another program, not one of this machine, or not allowed; choose another");
  acceptor->wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  acceptor->spare_ = open_spare();
  if (acceptor->wake_ < 0 || acceptor->spare_ < 0)
    return no_resource("no file descriptor is left to listen with; ulimit -n raises the limit");
  return acceptor;
}

ConnectionAcceptor::~ConnectionAcceptor() { stop(); }

absl::Status ConnectionAcceptor::listen_on(const ListenAddress& address) {
  if (address.is_unix()) {
    const sockaddr_un place = unix_address(address.unix_path);
    if (somebody_listens(place)) return no_resource("a server answers there");
    struct stat left_over {};
    if (lstat(address.unix_path.c_str(), &left_over) == 0 && S_ISSOCK(left_over.st_mode)) unlink(address.unix_path.c_str());
    const absl::Status added = add_listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), &place, sizeof place);
    if (added.ok()) unix_path_ = address.unix_path;
    return added;
  }
  std::string host = address.host;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &found); error != 0)
    return no_resource(gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  port_ = address.port;
  absl::Status last = no_resource("it has no address");
  for (addrinfo* at = found; at != nullptr; at = at->ai_next) {
    set_port(*at, port_);  // every address of a host has the port that was chosen for the first
    const int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    last = add_listener(fd, at->ai_addr, at->ai_addrlen);
    // localhost may have an address of a protocol that this machine does not speak.
    if (!last.ok() && !absl::IsUnavailable(last)) return last;
    if (last.ok()) port_ = port_of(fd);
  }
  return listeners_.empty() ? last : absl::OkStatus();
}

absl::Status ConnectionAcceptor::add_listener(int fd, const void* address, uint32_t length) {
  const auto* place = static_cast<const sockaddr*>(address);
  if (fd >= 0) set_options(fd, place->sa_family);
  if (fd >= 0 && bind(fd, place, length) == 0 && ::listen(fd, kBacklog) == 0) {
    listeners_.push_back(fd);
    return absl::OkStatus();
  }
  const int error = errno;
  if (fd >= 0) close(fd);
  const std::string why = std::strerror(error);
  if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) return absl::UnavailableError(why);
  return no_resource(why);
}

void ConnectionAcceptor::start(HandOver hand_over, Refused refused) {
  hand_over_ = std::move(hand_over);
  refused_ = std::move(refused);
  thread_ = std::thread([this] { run(); });
}

void ConnectionAcceptor::stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
    thread_.join();
  }
  for (int& listener : listeners_) close_if_open(listener);
  listeners_.clear();
  close_if_open(wake_);
  close_if_open(spare_);
  if (!unix_path_.empty()) unlink(std::exchange(unix_path_, {}).c_str());
}

void ConnectionAcceptor::run() {
  std::vector<pollfd> waits{{.fd = wake_, .events = POLLIN, .revents = 0}};
  for (const int listener : listeners_) waits.push_back({.fd = listener, .events = POLLIN, .revents = 0});
  for (;;) {
    poll(waits.data(), waits.size(), -1);
    if (waits[0].revents != 0) return;
    for (size_t i = 1; i < waits.size(); ++i)
      if (waits[i].revents != 0) take_all(waits[i].fd);
  }
}

// As many as wait now, and so few that stop() need not wait.
void ConnectionAcceptor::take_all(int listener) {
  for (int taken = 0; taken < kBacklog; ++taken) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) shed_without_descriptors(listener);
      return;  // most often: nobody is left. Whatever it is, poll() tells when there is somebody
    }
    if (!has_room()) {
      close(fd);
      if (refused_) refused_();
      continue;
    }
    struct stat file {};
    fstat(fd, &file);
    open_.push_back({fd, file.st_ino});
    hand_over_(listener, fd);
  }
}

bool ConnectionAcceptor::has_room() {
  const auto full = [this] { return open_.size() >= static_cast<size_t>(max_connections_); };
  if (!full()) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now - counted_at_ < kCountAgain) return false;
  counted_at_ = now;
  std::erase_if(open_, [](const Connection& connection) {
    struct stat file {};
    return fstat(connection.fd, &file) != 0 || file.st_ino != connection.inode;
  });
  return !full();
}

// Something else has taken the last descriptors. Connections that wait are closed, so that they go elsewhere and poll() does not spin.
void ConnectionAcceptor::shed_without_descriptors(int listener) {
  close_if_open(spare_);
  if (const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); fd >= 0) {
    close(fd);
    if (refused_) refused_();
  }
  spare_ = open_spare();
  if (spare_ < 0) std::this_thread::sleep_for(kCountAgain);
}

}  // namespace bouquet::server
