// `bouquet bench`: measurements that anyone can repeat. Each benchmark adds itself as a subcommand.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_bench_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::cli
