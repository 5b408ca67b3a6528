// `bouquet bench train`: seconds per epoch of training, and the objective reached.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/backend.h"

namespace bouquet::bench {

void add_train_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
