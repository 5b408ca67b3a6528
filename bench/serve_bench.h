// `bouquet bench serve`: how many Recommend calls a server answers on the processors it is given, beside a bare echo in the same run.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_serve_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
