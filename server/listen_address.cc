#include "server/listen_address.h"

#include <arpa/inet.h>

#include <charconv>

#include "engine/errors.h"

namespace bouquet::server {

bool ListenAddress::is_local() const {
  if (is_unix() || host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

absl::StatusOr<ListenAddress> parse_listen_address(const std::string& flag, const std::string& text) {
  ListenAddress address;
  address.text = text;
  const auto wrong = [&](const std::string& why) {
    return wrong_usage(flag + " '" + text + "': " + why + "; it takes host:port or unix:PATH");
  };
  if (text.starts_with("unix:")) {
    address.unix_path = text.substr(5);
    if (address.unix_path.empty()) return wrong("the path is empty");
    if (address.unix_path.size() > 107) return wrong("the path of a Unix socket has at most 107 bytes");
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong("there is no port");
  address.host = text.substr(0, colon);
  if (address.host.find(':') != std::string::npos && !(address.host.front() == '[' && address.host.back() == ']'))
    return wrong("an IPv6 address stands in brackets");
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end || address.port < 0 || address.port > 65535) return wrong("the port must be 0 to 65535");
  return address;
}

}  // namespace bouquet::server
