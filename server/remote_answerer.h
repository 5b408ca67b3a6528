// Asks a server over gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/answerer.h"

namespace bouquet::server {

// Connects to `address` (host:port or unix:PATH) within `timeout_ms`, which also bounds each call. Errors: Unavailable (nobody
// listens there).
absl::StatusOr<std::unique_ptr<Answerer>> connect(const std::string& address, int32_t timeout_ms);

}  // namespace bouquet::server
