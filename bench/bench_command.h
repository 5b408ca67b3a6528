// `bouquet bench`: measures this program on this machine. Each benchmark lives in a file of its own and adds itself here.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/backend.h"

namespace bouquet::bench {

void add_bench_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
