#include "server/config_file.h"

#include <fstream>
#include <sstream>

#include "engine/errors.h"

namespace bouquet::server {

absl::StatusOr<toml::table> parse_config(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return wrong_usage(name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

absl::StatusOr<std::string> read_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return missing_input("--config " + path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

}  // namespace bouquet::server
