// `bouquet similar` and `bouquet cross-sell`: questions about items, from a model on disk or from a server.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::server {

void add_similar_command(CLI::App& app, const BackendFactory& backends, int& exit_code);
void add_cross_sell_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::server
