// `bouquet bench roofline`: what the hardware under a backend can do at most.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_roofline_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
