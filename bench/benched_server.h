// The whole server as what a ForkedServer runs.
#pragma once

#include "absl/status/statusor.h"
#include "bench/forked_server.h"
#include "engine/backend.h"
#include "server/serving.h"

namespace bouquet::bench {

// Errors: those of `backends` and of Serving::start.
absl::StatusOr<ForkedServer::Running> start_serving(const server::ServingOptions& options, const BackendChoice& choice,
                                                    const BackendFactory& backends);

// Listens on a free port of this machine, nowhere else, and stops at once.
void serve_locally(server::ServingOptions& options);

}  // namespace bouquet::bench
