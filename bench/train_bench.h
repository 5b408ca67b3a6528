// `bouquet bench train`: seconds per epoch of training, and the objective reached.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_train_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
