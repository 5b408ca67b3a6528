#include "engine/unsupported_options.h"

#include <string>

namespace bouquet {
namespace {

constexpr UnsupportedOption kTable[] = {
    {"any", "solver", "pcg", "is not built yet; use exact or auto"},
    {"any", "solver", "block", "is not built yet; use exact or auto"},
    {"any", "dtype", "", "is not built yet: vectors are f32 on every backend; use f32"},
    {"cuda", "threads", "", "is of the cpu backend and would be without effect; leave it out, or use --backend cpu"},
    {"cpu", "device", "", "is of the cuda backend and would be without effect; leave it out, or use --backend cuda"},
};

}  // namespace

std::span<const UnsupportedOption> unsupported_options() { return kTable; }

absl::Status check_supported(std::string_view backend, std::string_view option, std::string_view value) {
  for (const UnsupportedOption& row : kTable) {
    if ((row.backend != "any" && row.backend != backend) || row.option != option || (!row.value.empty() && row.value != value)) continue;
    std::string message = "--" + std::string(option) + " " + std::string(value);
    if (row.backend != "any") message += " with --backend " + std::string(backend);
    return absl::UnimplementedError(message + " " + std::string(row.instead));
  }
  return absl::OkStatus();
}

}  // namespace bouquet
