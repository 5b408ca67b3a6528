// A client that speaks HTTP/2 by hand, so that it can be as slow and as rude as no library would be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bouquet::server {

// What a client says first. `window`: the bytes that it is willing to read of each answer.
std::string http2_preface(uint32_t window);
// That it has read what the server said first: the server's limits hold from then on.
std::string http2_acknowledgement();
// The beginning of a call on a stream (1, 3, 5, ...), without its message.
std::string http2_call(uint32_t stream, std::string_view path);
// A message of the call; the last one ends what the client says on the stream.
std::string http2_message(uint32_t stream, std::string_view message, bool last = true);

// Over TCP to this machine.
class RawConnection {
 public:
  // `address` is 127.0.0.1:PORT.
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  RawConnection& operator=(RawConnection&&) = delete;

  bool is_open() const { return fd_ >= 0; }
  // False if the server has closed the connection meanwhile.
  bool send(std::string_view bytes);
  // Whether the server says anything within `timeout_ms`, which it does as soon as it takes the connection.
  bool hears_within(int timeout_ms);
  // Whether the server closes it within `timeout_ms`; what it says until then is read.
  bool is_closed_within(int timeout_ms);

 private:
  int fd_ = -1;
};

}  // namespace bouquet::server
