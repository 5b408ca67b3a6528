// `bouquet serve`: answers over gRPC until SIGTERM or SIGINT.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::server {

void add_serve_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::server
