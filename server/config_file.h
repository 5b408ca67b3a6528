// Reading the tables of the configuration file that belong to the server (bouquet serve --config).
#pragma once

#include <toml++/toml.h>

#include <string>

#include "absl/status/statusor.h"

namespace bouquet::server {

// "bouquet.toml:12"
inline std::string place_of(const std::string& file, const toml::node& node) {
  return file + ":" + std::to_string(node.source().begin.line);
}

// `text`, called `name` in messages. Errors: InvalidArgument with the line.
absl::StatusOr<toml::table> parse_config(std::string_view text, const std::string& name);

// The whole file. Errors: NotFound.
absl::StatusOr<std::string> read_config(const std::string& path);

}  // namespace bouquet::server
