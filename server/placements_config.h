// Reads [placements.<name>] of the configuration file:
//
//   [placements.home]
//   kinds = ["product", "content"]
//   filter = 'price < 20'
//   k = 12
//   mix = {product = 3, content = 1}
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/placements.h"

namespace bouquet::server {

// The placements of `text`, called `name` in messages; none where it has none. Errors: InvalidArgument naming file, line and key: no TOML,
// an unknown key (with the nearest known one), a value that cannot be.
absl::StatusOr<Placements> parse_placements(std::string_view text, const std::string& name);

}  // namespace bouquet::server
