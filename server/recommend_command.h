// `bouquet recommend`: what to offer customers, from a model on disk or from a server.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::server {

void add_recommend_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::server
