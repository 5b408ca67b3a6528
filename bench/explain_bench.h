// `bouquet bench explain`: how long it takes to take the scores of one answer apart.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/backend.h"

namespace bouquet::bench {

void add_explain_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
