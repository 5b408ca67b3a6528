// Where the server listens: host:port or unix:PATH.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace bouquet::server {

struct ListenAddress {
  std::string text;       // as gRPC takes it
  std::string host;       // empty for a Unix socket
  int32_t port = 0;       // 0: any free one
  std::string unix_path;  // empty for host:port

  bool is_unix() const { return !unix_path.empty(); }
  // Whether only this machine can reach it: a Unix socket, 127.0.0.0/8, ::1 or localhost.
  bool is_local() const;
};

// Errors: InvalidArgument, naming `flag`, the value and what it takes.
absl::StatusOr<ListenAddress> parse_listen_address(const std::string& flag, const std::string& text);

}  // namespace bouquet::server
