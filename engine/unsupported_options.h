// Options that are known by name and that a backend cannot do: an error, never silence. One table for all backends.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace bouquet {

struct UnsupportedOption {
  std::string_view backend;  // "cpu", "cuda", or "any"
  std::string_view option;   // "solver"
  std::string_view value;    // "pcg"; empty: any value but the default
  std::string_view instead;  // what to do
};

std::span<const UnsupportedOption> unsupported_options();

// Errors: Unimplemented, naming the option, its value and what to do, if the table has it for `backend` or for any.
absl::Status check_supported(std::string_view backend, std::string_view option, std::string_view value);

}  // namespace bouquet
