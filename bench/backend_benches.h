// The benchmarks of a backend by itself, without gRPC: of `bouquet bench` and of the kit that goes to a machine with a GPU.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

// Adds rank, train, explain, fold-in and roofline to `bench`.
void add_backend_benches(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
