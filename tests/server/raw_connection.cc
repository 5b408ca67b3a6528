#include "tests/server/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace bouquet::server {
namespace {

enum FrameType : uint8_t { kData = 0, kHeaders = 1, kSettings = 4 };

std::string big_endian(uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

// RFC 9113, section 4.1.
std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string text = big_endian(static_cast<uint32_t>(payload.size()), 3);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  return text + big_endian(stream, 4) + std::string(payload);
}

std::string literal(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

}  // namespace

std::string http2_preface(uint32_t window) {
  constexpr uint32_t kInitialWindowSize = 4;
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, big_endian(kInitialWindowSize, 2) + big_endian(window, 4));
}

std::string http2_acknowledgement() {
  constexpr uint8_t kAck = 1;
  return frame(kSettings, kAck, 0, {});
}

// RFC 7541: entries of the static table where there are such, literals without indexing otherwise.
std::string http2_call(uint32_t stream, std::string_view path) {
  constexpr uint8_t kEndHeaders = 4;
  std::string headers = "\x83\x86";                     // :method POST, :scheme http
  headers += "\x04" + literal(path);                    // :path
  headers += "\x01" + literal("shop");                  // :authority
  headers += "\x0f\x10" + literal("application/grpc");  // content-type
  headers += std::string(1, '\0') + literal("te") + literal("trailers");
  return frame(kHeaders, kEndHeaders, stream, headers);
}

std::string http2_message(uint32_t stream, std::string_view message, bool last) {
  constexpr uint8_t kEndStream = 1;
  return frame(kData, last ? kEndStream : 0, stream,
               std::string(1, '\0') + big_endian(static_cast<uint32_t>(message.size()), 4) + std::string(message));
}

RawConnection::RawConnection(const std::string& address) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) return;
  close(fd_);
  fd_ = -1;
}

RawConnection::~RawConnection() {
  if (fd_ >= 0) close(fd_);
}

bool RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawConnection::hears_within(int timeout_ms) {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  char byte;
  return poll(&wait, 1, timeout_ms) == 1 && recv(fd_, &byte, 1, MSG_PEEK) == 1;
}

bool RawConnection::is_closed_within(int timeout_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  std::array<char, 4096> read;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    if (left < 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) return false;
    if (recv(fd_, read.data(), read.size(), 0) <= 0) return true;
  }
}

}  // namespace bouquet::server
